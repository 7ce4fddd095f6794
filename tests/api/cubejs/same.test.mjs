// What the client gives in each of its formats is what REST gave to another program.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { client, said } from './client.mjs';

const api = client();

for (const { query, rows } of said.questions) {
  for (const format of ['default', 'compact', 'columnar']) {
    test(`${JSON.stringify(query)} ${format}`, async () => {
      const answer = await api.load(query, undefined, undefined, format);
      assert.deepEqual(answer.rawData(), rows);
      const sums = Object.fromEntries(query.measures.map((name) => [name, 0]));
      for (const row of answer.tablePivot()) {
        for (const name of query.measures) sums[name] += Number(row[name] ?? 0);
      }
      for (const name of query.measures) {
        const total = rows.reduce((sum, row) => sum + Number(row[name] ?? 0), 0);
        assert.ok(Math.abs(sums[name] - total) <= 1e-9 * Math.abs(total), `${name}: ${sums[name]}, ${total}`);
      }
    });
  }
}
