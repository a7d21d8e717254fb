{%- set in_order = 'partition by asin, domain_id order by snapshot_at' -%}
with
snapshots as (
    select * from {{ ref('stg_keepa_product') }}
),

-- One response may be filed under several days: of those the later counts, as in core_keepa_product.
answers as (
    select
        asin,
        domain_id,
        snapshot_at,
        title,
        brand,
        parent_asin,
        root_category_id,
        category_id,
        category_path
    from snapshots
    qualify row_number() over (partition by asin, domain_id, snapshot_at order by run_date desc) = 1
),

neighbours as (
    select
        asin,
        domain_id,
        snapshot_at,
        title,
        brand,
        parent_asin,
        root_category_id,
        category_id,
        category_path,
        row_number() over ({{ in_order }}) as answer_number,
        lag(title) over ({{ in_order }}) as title_before,
        lag(brand) over ({{ in_order }}) as brand_before,
        lag(parent_asin) over ({{ in_order }}) as parent_asin_before,
        lag(root_category_id) over ({{ in_order }}) as root_category_id_before,
        lag(category_id) over ({{ in_order }}) as category_id_before,
        lag(category_path) over ({{ in_order }}) as category_path_before
    from answers
),

versions as (
    select
        asin,
        domain_id,
        row_number() over ({{ in_order }}) as version_number,
        snapshot_at as valid_from,
        lead(snapshot_at) over ({{ in_order }}) as valid_to,
        title,
        brand,
        parent_asin,
        root_category_id,
        category_id,
        category_path
    from neighbours
    where
        answer_number = 1
        or title is distinct from title_before
        or brand is distinct from brand_before
        or parent_asin is distinct from parent_asin_before
        or root_category_id is distinct from root_category_id_before
        or category_id is distinct from category_id_before
        or category_path is distinct from category_path_before
)

select
    {{ product_key('versions') }} as product_key,
    versions.asin,
    versions.domain_id,
    cast(versions.version_number as bigint) as version_number,
    versions.valid_from,
    versions.valid_to,
    versions.valid_to is null as is_current,
    versions.title,
    versions.brand,
    versions.parent_asin,
    versions.root_category_id,
    versions.category_id,
    versions.category_path
from versions
