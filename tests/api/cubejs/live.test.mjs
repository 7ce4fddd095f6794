// A model is edited while the server runs: the client sees it by asking again, and so does GraphQL.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { client, said } from './client.mjs';

const api = client();
const until = async (what) => {
  for (let n = 0; n < 300; n += 1) {
    if (await what()) return;
    await pause(50);
  }
  assert.fail('it never happened');
};
const has = async (name) => !(await api.meta()).resolveMember(name, 'measures').error;
const graphql = async (text) => {
  const answer = await fetch(`${said.url}/cubejs-api/graphql`, {
    method: 'POST',
    headers: { authorization: said.token, 'content-type': 'application/json' },
    body: JSON.stringify({ query: text }),
  });
  return answer.json();
};

test('a measure is added, then the file is broken, then it is as it was', async () => {
  const before = readFileSync(said.file, 'utf8');
  const fresh = '{ cube { customers { cities } } }';
  assert.equal(await has('customers.cities'), false);
  assert.match((await graphql(fresh)).errors[0].message, /Cannot query field 'cities'/);
  const measure = '      - {name: cities, type: count_distinct, sql: city}\n';
  writeFileSync(said.file, before.replace('      - {name: count, type: count}\n', (all) => all + measure));
  await until(() => has('customers.cities'));
  const answer = await api.load({ measures: ['customers.cities'] });
  assert.equal(answer.rawData()[0]['customers.cities'], '3');
  assert.deepEqual((await graphql(fresh)).data, { cube: [{ customers: { cities: 3 } }] });
  writeFileSync(said.file, 'cubes: {');
  await pause(1000);
  assert.ok(await has('customers.cities'), 'the last good model answers');
  writeFileSync(said.file, before);
  await until(async () => !(await has('customers.cities')));
});
