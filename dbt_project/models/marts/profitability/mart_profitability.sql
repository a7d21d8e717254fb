{%- set by_product = 'partition by asin, domain_id order by' -%}
with
products as (
    select * from {{ ref('dim_product') }}
),

taxes as (
    select * from {{ ref('seed_amazon_marketplaces') }}
),

states as (
    select * from {{ ref('core_keepa_product_state') }}
),

price_stats as (
    select * from {{ ref('fct_price_stats') }}
    where series in ('BUY_BOX_SHIPPING', 'NEW', 'AMAZON')
),

days as (
    select * from {{ ref('mart_product_daily') }}
),

-- A response that lacks a fee was not asked for it, or Keepa has not collected it: the newest that has it counts.
fba_fees as (
    select
        asin,
        domain_id,
        fba_fee,
        fba_fee_updated_at
    from states
    where fba_fee is not null
    qualify row_number() over ({{ by_product }} snapshot_at desc) = 1
),

referral_fees as (
    select
        asin,
        domain_id,
        coalesce(referral_fee_percent, referral_fee_whole_percent) as referral_fee_percent,
        referral_fee_percent is not null as is_exact
    from states
    where referral_fee_percent is not null or referral_fee_whole_percent is not null
    qualify row_number() over ({{ by_product }} snapshot_at desc) = 1
),

prices as (
    select
        asin,
        domain_id,
        series,
        current_value,
        as_of
    from price_stats
    where current_value is not null
    qualify
        row_number() over (
            {{ by_product }} case series when 'BUY_BOX_SHIPPING' then 1 when 'NEW' then 2 else 3 end
        ) = 1
),

newest_days as (
    select
        asin,
        domain_id,
        max(observed_date) as observed_date
    from days
    group by asin, domain_id
),

ranks as (
    select
        days.asin,
        days.domain_id,
        days.sales_rank,
        days.sales_rank_category_id,
        days.monthly_sold
    from days
    inner join newest_days on {{ same_key('days', 'newest_days', ['asin', 'domain_id', 'observed_date']) }}
),

-- Exact: the price times a decimal. A fee is rounded to the currency's smallest unit, half of one away from zero.
amounts as (
    select
        products.product_key,
        products.asin,
        products.domain_id,
        prices.current_value as price_minor,
        fba_fees.fba_fee as fba_fee_minor,
        cast(
            round(prices.current_value * cast(referral_fees.referral_fee_percent as decimal(7, 4)) * 0.01) as bigint
        ) as referral_fee_minor
    from products
    {{ left_joins('products', ['prices', 'fba_fees', 'referral_fees'], ['asin', 'domain_id']) }}
),

proceeds as (
    select
        product_key,
        asin,
        domain_id,
        price_minor,
        fba_fee_minor,
        referral_fee_minor,
        price_minor - fba_fee_minor - referral_fee_minor as proceeds_minor
    from amounts
)

select
    proceeds.product_key,
    proceeds.asin,
    proceeds.domain_id,
    products.marketplace_code,
    products.currency,
    products.snapshot_at,
    prices.series as price_series,
    prices.as_of as price_as_of,
    taxes.includes_tax as price_includes_tax,
    proceeds.price_minor,
    {{ to_major_units('proceeds.price_minor', 'products.minor_digits') }} as price,
    fba_fees.fba_fee_updated_at,
    proceeds.fba_fee_minor,
    {{ to_major_units('proceeds.fba_fee_minor', 'products.minor_digits') }} as fba_fee,
    cast(referral_fees.referral_fee_percent as decimal(7, 4)) as referral_fee_percent,
    referral_fees.is_exact as referral_fee_is_exact,
    proceeds.referral_fee_minor,
    {{ to_major_units('proceeds.referral_fee_minor', 'products.minor_digits') }} as referral_fee,
    proceeds.proceeds_minor,
    {{ to_major_units('proceeds.proceeds_minor', 'products.minor_digits') }} as proceeds,
    cast(proceeds.proceeds_minor as double) / nullif(proceeds.price_minor, 0) as proceeds_share,
    proceeds.proceeds_minor is not null as is_complete,
    ranks.sales_rank,
    ranks.sales_rank_category_id,
    ranks.monthly_sold
from proceeds
inner join products on {{ same_key('proceeds', 'products', ['asin', 'domain_id']) }}
left join taxes on products.marketplace_code = taxes.country
{{ left_joins('proceeds', ['prices', 'fba_fees', 'referral_fees', 'ranks'], ['asin', 'domain_id']) }}
