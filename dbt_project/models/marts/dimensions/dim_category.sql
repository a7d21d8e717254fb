with
versions as (
    select * from {{ ref('dim_product_history') }}
),

ranks as (
    select * from {{ ref('core_keepa_rank_change') }}
),

products as (
    select * from {{ ref('core_keepa_product') }}
),

-- A product tells the whole path of its deepest category, and the name of the root with it.
told as (
    select
        domain_id,
        category_id,
        root_category_id,
        category_path,
        asin,
        valid_from
    from versions
    where category_id is not null
    union all
    select
        domain_id,
        root_category_id as category_id,
        root_category_id,
        split_part(category_path, ' > ', 1) as category_path,
        asin,
        valid_from
    from versions
    where root_category_id is not null
),

newest as (
    select
        domain_id,
        category_id,
        root_category_id,
        category_path
    from told
    qualify
        row_number() over (
            partition by domain_id, category_id
            order by valid_from desc, asin asc, category_path asc, root_category_id asc
        ) = 1
),

-- Ranks may be in categories that no product names.
every_id as (
    select
        domain_id,
        category_id
    from newest
    union
    select
        domain_id,
        category_id
    from ranks
    where series = 'CATEGORY'
    union
    select
        domain_id,
        sales_rank_category_id as category_id
    from products
    where sales_rank_category_id is not null
)

select
    cast(every_id.domain_id as varchar) || '-' || cast(every_id.category_id as varchar) as category_key,
    every_id.domain_id,
    every_id.category_id,
    split_part(newest.category_path, ' > ', -1) as category_name,
    newest.category_path,
    newest.root_category_id,
    roots.category_path as root_category_name,
    every_id.category_id = newest.root_category_id as is_root
from every_id
left join newest
    on every_id.domain_id = newest.domain_id and every_id.category_id = newest.category_id
left join newest as roots
    on newest.domain_id = roots.domain_id and newest.root_category_id = roots.category_id
