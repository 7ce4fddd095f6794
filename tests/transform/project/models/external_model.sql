{{ config(materialized='external', location='/tmp/never.parquet', enabled=var('unsupported', false)) }}
select 1 as x
