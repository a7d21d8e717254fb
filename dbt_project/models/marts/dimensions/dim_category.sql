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

rank_references as (
    select * from {{ ref('core_keepa_rank_reference_change') }}
),

-- A product has the whole path of its deepest category, and with it the name of the root.
named as (
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
    from named
    qualify
        row_number() over (
            partition by domain_id, category_id
            order by valid_from desc, asin asc, category_path asc, root_category_id asc
        ) = 1
),

-- Ranks may be in categories that no product names.
all_ids as (
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
    union
    select
        domain_id,
        category_id
    from rank_references
    where category_id is not null
)

select
    cast(all_ids.domain_id as varchar) || '-' || cast(all_ids.category_id as varchar) as category_key,
    all_ids.domain_id,
    all_ids.category_id,
    split_part(newest.category_path, ' > ', -1) as category_name,
    newest.category_path,
    newest.root_category_id,
    roots.category_path as root_category_name,
    all_ids.category_id = newest.root_category_id as is_root
from all_ids
left join newest
    on all_ids.domain_id = newest.domain_id and all_ids.category_id = newest.category_id
left join newest as roots
    on newest.domain_id = roots.domain_id and newest.root_category_id = roots.category_id
