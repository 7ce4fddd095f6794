{{ config(materialized='table', alias="Größe & Co 'x'") }}
select 1 as "select", 'ü' as "weiß 100%", 2 as "a""b"
