with
marketplaces as (
    select * from {{ ref('seed_marketplaces') }}
)

select
    domain_id,
    code as marketplace_code,
    host as marketplace_host,
    currency,
    minor_digits
from marketplaces
