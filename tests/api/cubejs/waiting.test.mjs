// Queries that take long: the client waits, gives up, is overtaken, is cancelled, or asks again and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { client, RequestError, said } from './client.mjs';

const tell = async (what) => (await fetch(`${said.url}/test/${what}`, { method: 'POST' })).json();
const until = async (what) => {
  for (let n = 0; n < 500; n += 1) {
    if (await what()) return;
    await pause(10);
  }
  assert.fail('it never happened');
};
const idle = () => until(async () => (await tell('state')).running === 0);
const of = (city) => ({
  measures: ['orders.count'],
  filters: [{ member: 'customers.city', operator: 'notEquals', values: [city] }],
});
const api = client();

test('a slow query: progress is told, and the answer comes', async () => {
  await tell('hold');
  const stages = [];
  const answer = await api.load(of('slow'), {
    progressCallback: (progress) => {
      stages.push(progress.stage());
      if (stages.length === 3) tell('go');
    },
  });
  assert.equal(answer.rawData()[0]['orders.count'], '3');
  assert.ok(stages.length >= 3);
  assert.ok(stages.every(({ stage, timeElapsed }) => stage === 'Executing query' && timeElapsed > 0), stages);
  assert.equal((await tell('state')).asked, 1, 'the query ran once, however often it was asked for');
});

test('a later question with the same mutex overtakes the first', async () => {
  await tell('hold');
  const mutexObj = {};
  const first = api.load(of('first'), { mutexObj, mutexKey: 'chart' });
  const second = api.load(of('second'), { mutexObj, mutexKey: 'chart' });
  await until(async () => (await tell('state')).running >= 2);
  await tell('go');
  assert.equal(await first, null);
  assert.equal((await second).rawData()[0]['orders.count'], '3');
});

test('a question that is given up stops its query', async () => {
  await tell('hold');
  const given = new AbortController();
  const asked = api.load(of('given up'), { signal: given.signal });
  await until(async () => (await tell('state')).running === 1);
  given.abort();
  await assert.rejects(asked, /aborted/);
  await idle();
});

test('a question is cancelled by its id, and its client is told', async () => {
  await tell('hold');
  const asked = api.load(of('cancelled'), { baseRequestId: 'chart-7' });
  const failed = assert.rejects(asked, (error) => error instanceof RequestError && /cancelled/.test(error.message));
  await until(async () => (await tell('state')).running === 1);
  const stopped = await fetch(`${said.url}/cubejs-api/v1/running-query/chart-7`, { method: 'DELETE' });
  assert.equal(stopped.status, 200);
  await failed;
  await idle();
});

test('a subscription sees what was committed, until it ends', async () => {
  await tell('go');
  const seen = [];
  const asking = client({ pollInterval: 0.05 });
  const subscription = asking.subscribe({ measures: ['orders.count'] }, {}, (error, answer) => {
    seen.push(error ? String(error) : answer.rawData()[0]['orders.count']);
  });
  await until(() => seen.length >= 2);
  await tell('order');
  await until(() => seen.includes('4'));
  await subscription.unsubscribe();
  await pause(150);
  const count = seen.length;
  await pause(200);
  assert.equal(seen.length, count);
  assert.deepEqual([...new Set(seen)], ['3', '4']);
});
