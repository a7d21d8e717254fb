with
products as (
    select * from {{ ref('dim_product') }}
),

variations as (
    select * from {{ ref('core_keepa_variation') }}
),

profitability as (
    select * from {{ ref('mart_profitability') }}
),

-- A product's newest response lists its whole family. A product that belongs to one is a member of it, listed or not.
listed as (
    select
        variations.domain_id,
        coalesce(products.parent_asin, products.asin) as family_asin,
        variations.variation_asin as asin,
        variations.position as place,
        variations.attributes,
        variations.image,
        variations.snapshot_at
    from variations
    inner join products
        on
            variations.asin = products.asin
            and variations.domain_id = products.domain_id
            and variations.snapshot_at = products.snapshot_at
    union all
    select
        domain_id,
        parent_asin as family_asin,
        asin,
        cast(null as bigint) as place,
        cast(null as varchar) as attributes,
        cast(null as varchar) as image,
        snapshot_at
    from products
    where parent_asin is not null
),

-- Of what several members list of one variation the newest counts; what a product is in itself (place: null), last.
members as (
    select
        domain_id,
        family_asin,
        asin,
        attributes,
        image,
        max(snapshot_at) over (partition by domain_id, family_asin, asin) as last_seen_at
    from listed
    qualify
        row_number() over (
            partition by domain_id, family_asin, asin
            order by
                case when place is null then 1 else 0 end asc,
                snapshot_at desc,
                place asc,
                attributes asc,
                image asc
        ) = 1
)

select
    cast(members.domain_id as varchar) || '-' || members.family_asin as family_key,
    members.domain_id,
    members.family_asin,
    members.asin,
    products.product_key,
    members.attributes,
    'https://m.media-amazon.com/images/I/' || members.image as image_url,
    products.title,
    profitability.currency,
    profitability.price_minor,
    profitability.price,
    profitability.sales_rank,
    profitability.monthly_sold,
    members.last_seen_at,
    cast(count(*) over (partition by members.domain_id, members.family_asin) as bigint) as family_members,
    cast(
        count(products.product_key) over (partition by members.domain_id, members.family_asin) as bigint
    ) as observed_members
from members
left join products on members.asin = products.asin and members.domain_id = products.domain_id
left join profitability on products.product_key = profitability.product_key
