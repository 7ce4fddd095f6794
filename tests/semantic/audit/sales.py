"""Sales in shops: the rows and the cubes that the audits share."""

TABLES = {
    "sales": """SELECT i::BIGINT AS id, (i * 7) % 5 AS shop, CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 3) % 4 END AS agent,
        CASE WHEN i % 13 = 0 THEN NULL ELSE TIMESTAMP '2023-11-20 05:17:00' + INTERVAL (i * 37) HOUR END AS ts,
        ((i * 31) % 97 - 20)::DECIMAL(10, 2) / 4 AS amount, 9007199254740993 + i AS big FROM range(300) t(i)""",
    "shops": "SELECT * FROM (VALUES (0, 'A', 'n'), (1, 'B', 'n'), (2, 'C', 's'), (3, NULL, 's'), (7, 'Z', NULL)) t(id, name, area)",
}
SALES = """- name: sales
  sql_table: gold.sales
  joins:
  - {name: shops, relationship: many_to_one, sql: "{CUBE}.shop = {shops}.id"}
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: agent, type: number, sql: agent}
  - name: ts
    type: time
    sql: ts
    granularities:
    - {name: fiscal_year, interval: 1 year, origin: '2023-04-01'}
    - {name: fiscal_quarter, interval: 3 months, offset: '1 month'}
    - {name: fortnight, interval: 2 weeks, origin: '2024-01-04'}
    - {name: sunday_week, interval: 1 week, offset: '-1 day'}
    - {name: mid_month, interval: 1 month, origin: '2024-01-15'}
  measures:
  - {name: count, type: count}
  - {name: amount, type: sum, sql: amount}
  - {name: big, type: sum, sql: big}
  - {name: bigmax, type: max, sql: big}
  - {name: mean, type: avg, sql: amount}
  - {name: agent_count, type: count_distinct, sql: agent}
  - {name: first_ts, type: time, sql: "min({CUBE}.ts)"}
  - {name: trail7, type: sum, sql: amount, rolling_window: {trailing: 7 day}}
  - {name: trail1m, type: sum, sql: amount, rolling_window: {trailing: 1 month}}
  - {name: trail1m_start, type: count, rolling_window: {trailing: 1 month, offset: start}}
  - {name: lead3, type: count, rolling_window: {leading: 3 day}}
  - {name: around, type: count_distinct, sql: agent, rolling_window: {trailing: 2 day, leading: 1 day, offset: start}}
  - {name: cum, type: sum, sql: amount, rolling_window: {trailing: unbounded}}
  - {name: ytd, type: sum, sql: amount, rolling_window: {type: to_date, granularity: year}}
  - {name: qtd, type: count, rolling_window: {type: to_date, granularity: quarter}}
  - {name: mtd_avg, type: avg, sql: amount, rolling_window: {type: to_date, granularity: month}}
  - {name: area_amount, type: sum, sql: "{amount}", multi_stage: true, group_by: [shops.area]}
  - {name: all_amount, type: number, sql: "{amount}", multi_stage: true, group_by: []}
  - {name: no_name, type: sum, sql: "{amount}", multi_stage: true, reduce_by: [shops.name]}
  - {name: share, type: number, sql: "{amount} / NULLIF({no_name}, 0)", multi_stage: true}
  - {name: avg_by_agent, type: avg, sql: "{amount}", multi_stage: true, add_group_by: [sales.agent]}
  - {name: max_day, type: max, sql: "{count}", multi_stage: true, add_group_by: [sales.ts.day]}
  - {name: rnk, type: rank, multi_stage: true, order_by: [{sql: "{count}", dir: desc}], reduce_by: [shops.name]}
  - {name: prev_month, type: number, sql: "{amount}", multi_stage: true, time_shift: [{time_dimension: sales.ts, interval: 1 month, type: prior}]}
  - {name: growth, type: number, sql: "{amount} / NULLIF({prev_month}, 0)", multi_stage: true}
  - {name: prev_year_ytd, type: number, sql: "{ytd}", multi_stage: true, time_shift: [{interval: 1 year, type: prior}]}
"""
SHOPS = """- name: shops
  sql_table: gold.shops
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: name, type: string, sql: name}
  - {name: area, type: string, sql: area}
  measures:
  - {name: count, type: count}
"""
AGENTS_JOIN = """  joins:
  - {name: agents, relationship: many_to_one, sql: "{CUBE}.agent = {agents}.id"}
"""
MODEL = f"cubes:\n{SALES}{SHOPS}"
