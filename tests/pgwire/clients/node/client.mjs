// Asks one server with `pg`, `pg-cursor` and `pg-query-stream`, and prints what it got as JSON.
// Arguments: the folder with node_modules, the server's address, a file with {questions, refused}.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const [folder, address, file] = process.argv.slice(2)
const require = createRequire(`${folder}/`)
const pg = require('pg')
const Cursor = require('pg-cursor')
const QueryStream = require('pg-query-stream')
const { questions, refused } = JSON.parse(readFileSync(file, 'utf8'))
pg.types.setTypeParser(1114, (text) => text) // times without a zone stay as they are written

const told = { questions: {}, refused: {} }
const client = new pg.Client({ connectionString: address, application_name: 'node' })
const parameters = {}
client.connection.on('parameterStatus', (one) => (parameters[one.parameterName] = one.parameterValue))
await client.connect()

// What fails is an answer, too: the other parts still run.
const part = async (topic, run) => {
  try {
    told[topic] = await run()
  } catch (error) {
    told[topic] = `ERROR ${error.code} ${error.message}`
  }
}

for (const [name, text] of Object.entries(questions)) {
  try {
    const found = await client.query({ text, rowMode: 'array' })
    told.questions[name] = { fields: found.fields.map((one) => one.name), rows: found.rows, count: found.rowCount, command: found.command }
  } catch (error) {
    told.questions[name] = `ERROR ${error.code} ${error.message}`
  }
}
for (const [name, text] of Object.entries(refused)) {
  try {
    await client.query('SET default_transaction_read_only = on')
    await client.query(text)
  } catch (error) {
    told.refused[name] = { code: error.code, position: error.position ?? null, severity: error.severity }
  }
}
await part('parameters', async () => {
  const text = 'SELECT order_id, order_number, is_gift FROM orders WHERE order_id = $1 OR order_status = ANY($2) ORDER BY order_id LIMIT $3'
  return (await client.query(text, [17, ['pending', 'returned'], 9])).rows
})
await part('named', async () => {
  const rows = []
  for (const id of [3, 4, 3]) {
    const query = { name: 'one order', text: 'SELECT order_number, total_amount FROM orders WHERE order_id = $1', values: [id] }
    rows.push((await client.query(query)).rows)
  }
  return rows
})
await part('several', async () => (await client.query('SELECT 1 AS a; SELECT COUNT(*) AS n FROM campaigns')).map((one) => one.rows))
await part('array', async () => {
  const text = "SELECT ARRAY[1,2] AS i, ARRAY['a','b'] AS t, '{\"k\": 1}'::json AS j, DATE '2026-02-03'::text AS d"
  return (await client.query(text)).rows
})
await part('binary', async () => (await client.query({ text: 'SELECT 7::int4 AS i, true AS b', binary: true })).rows)
await part('cursor', async () => {
  const cursor = client.query(new Cursor('SELECT item_id FROM order_items WHERE quantity >= $1 ORDER BY item_id', [1]))
  const found = []
  for (const count of [3, 500, 10]) found.push((await cursor.read(count)).map((row) => row.item_id))
  await cursor.close() // half way
  return found
})
await part('after', async () => (await client.query('SELECT COUNT(*) AS n FROM campaigns')).rows)
await part('stream', async () => {
  const rows = client.query(new QueryStream('SELECT item_id, quantity FROM order_items', [], { batchSize: 700 }))
  let streamed = 0
  let sum = 0
  for await (const row of rows) {
    streamed += 1
    sum += Number(row.quantity)
  }
  return { streamed, sum }
})

await client.query('BEGIN READ ONLY')
await client.query('SELECT 1')
await client.query('ROLLBACK')
await client.end()

const pool = new pg.Pool({ connectionString: address, max: 4 })
await part('pool', async () => {
  const text = 'SELECT COUNT(*) AS n FROM orders WHERE order_id % 12 = $1'
  const found = await Promise.all([...Array(12).keys()].map((n) => pool.query(text, [n])))
  return found.map((one) => one.rows[0].n)
})
await pool.end()

const limited = new pg.Client({ connectionString: address, statement_timeout: 300 })
await limited.connect()
told.limited = await limited.query('SELECT pg_sleep(20)').then(() => null, (error) => error.code)
await limited.end()
console.log(JSON.stringify(told))
