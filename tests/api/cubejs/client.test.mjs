// What applications do with Cube's client, against a real server; what is expected is SQL over the raw files.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { client, pick, RequestError, ResultSet, said } from './client.mjs';

const { expected } = said;
const api = client();
const day = 'orders.created_at';
const monthly = {
  measures: ['orders.count'],
  timeDimensions: [{ dimension: day, granularity: 'month', dateRange: ['2026-01-01', '2026-06-30'] }],
};

for (const format of ['default', 'compact', 'columnar']) {
  for (const method of ['GET', 'POST']) {
    test(`load, ${format} by ${method}`, async () => {
      const query = { measures: ['orders.count', 'orders.total'], dimensions: ['orders.status'] };
      const answer = await client({ method }).load(query, undefined, undefined, format);
      const rows = pick(answer.rawData(), 'orders.status', 'orders.count', 'orders.total');
      assert.deepEqual(rows.map(([status, count, total]) => [status, +count, +total]), expected.by_status);
      assert.equal(typeof rows[0][1], 'string');
      assert.deepEqual(answer.query().measures, query.measures);
      assert.equal(answer.annotation().measures['orders.total'].format, 'currency');
    });
  }
}

test('no rows, in each format', async () => {
  for (const format of ['default', 'compact', 'columnar']) {
    const query = {
      measures: ['orders.count'],
      dimensions: ['orders.status'],
      filters: [{ member: 'orders.status', operator: 'equals', values: ['never'] }],
    };
    const answer = await api.load(query, undefined, undefined, format);
    assert.deepEqual(answer.rawData(), []);
    assert.deepEqual(answer.chartPivot(), []);
    assert.deepEqual(answer.tableColumns().map(({ key }) => key), ['orders.status', 'orders.count']);
  }
});

test('numbers, if the client is to make numbers of them', async () => {
  const answer = await client({ castNumerics: true }).load({ measures: ['orders.total'], dimensions: ['orders.id'], limit: 3 });
  for (const row of answer.rawData()) {
    assert.equal(typeof row['orders.total'], 'number');
    assert.equal(typeof row['orders.id'], 'number');
  }
});

test('a chart over time has a place for the month without rows', async () => {
  const answer = await api.load(monthly);
  assert.equal(answer.rawData().length, 5);
  const series = answer.series();
  assert.equal(series.length, 1);
  assert.equal(series[0].title, 'Orders Count');
  assert.deepEqual(series[0].series.map(({ x, value }) => [x, +value]), expected.months);
  assert.deepEqual(answer.seriesNames(), [
    { key: 'orders.count', title: 'Orders Count', shortTitle: 'Count', yValues: ['orders.count'] },
  ]);
});

test('the range of the client and the range of the server are the same without a dateRange', async () => {
  const answer = await api.load({ ...monthly, timeDimensions: [{ dimension: day, granularity: 'week' }] });
  assert.deepEqual(answer.series()[0].series.map(({ x, value }) => [x, +value]), expected.weeks);
});

test('a granularity of the model', async () => {
  const query = {
    measures: ['orders.count'],
    timeDimensions: [{ dimension: day, granularity: 'fortnight', dateRange: ['2026-01-05', '2026-03-01'] }],
  };
  const answer = await api.load(query);
  assert.deepEqual(answer.series()[0].series.map(({ x, value }) => [x, +value]), expected.fortnights);
});

test('pivots: a dimension beside the time, and the axes turned', async () => {
  const answer = await api.load({ ...monthly, dimensions: ['orders.status'] });
  const table = answer.tablePivot();
  assert.equal(table.length, 15);
  const chart = answer.chartPivot();
  assert.deepEqual(chart.map(({ x }) => x), expected.months.map(([month]) => month));
  const january = Object.fromEntries(expected.january);
  for (const status of ['done', 'lost', 'new']) {
    assert.equal(chart[0][`${status},orders.count`], january[status]);
  }
  const turned = answer.chartPivot({ x: ['orders.status'], y: ['orders.created_at.month', 'measures'] });
  assert.deepEqual(turned.map(({ x }) => x).sort(), ['done', 'lost', 'new']);
  const done = turned.find(({ x }) => x === 'done');
  assert.equal(done['2026-01-01T00:00:00.000,orders.count'], january.done);
  const columns = answer.tableColumns({ x: ['orders.created_at.month'], y: ['orders.status', 'measures'] });
  assert.deepEqual(columns.map(({ key }) => key).sort(), ['done', 'lost', 'new', 'orders.created_at.month']);
  assert.equal(answer.seriesNames({ x: [`${day}.month`], y: ['orders.status'] }).length, 3);
});

test('two ranges compared', async () => {
  const ranges = [['2026-01-01', '2026-01-31'], ['2026-03-01', '2026-03-31']];
  const query = {
    measures: ['orders.count'],
    timeDimensions: [{ dimension: day, granularity: 'month', compareDateRange: ranges }],
  };
  const answer = await api.load(query);
  assert.throws(() => answer.rawData(), /compareDateRange/);
  const parts = answer.decompose();
  assert.deepEqual(parts.map((one) => +one.rawData()[0]['orders.count']), [expected.months[0][1], expected.months[2][1]]);
  const names = answer.seriesNames().map(({ key }) => key);
  assert.equal(names.length, 2);
  assert.ok(names.every((name) => name.includes(' - ') && name.endsWith('orders.count')), names);
  const chart = answer.chartPivot();
  assert.deepEqual(names.map((name) => chart[0][name]), [expected.months[0][1], expected.months[2][1]]);
  const table = answer.tablePivot();
  assert.equal(table.length, 1);
  assert.throws(() => answer.drillDown({ xValues: [] }), /not currently supported/);
});

test('two ranges compared without a granularity', async () => {
  const query = {
    measures: ['orders.count'],
    timeDimensions: [{ dimension: day, compareDateRange: [['2026-01-01', '2026-01-31'], ['2026-03-01', '2026-03-31']] }],
  };
  const answer = await api.load(query);
  const [row] = answer.chartPivot({ x: [], y: ['compareDateRange', 'measures'] });
  const counts = Object.entries(row).filter(([key]) => key.endsWith('orders.count')).map(([, value]) => value);
  assert.deepEqual(counts, [expected.months[0][1], expected.months[2][1]]);
});

test('blended queries share an axis', async () => {
  const other = { measures: ['customers.count', 'orders.total'], timeDimensions: monthly.timeDimensions };
  const answer = await api.load([monthly, other]);
  assert.equal(answer.decompose().length, 2);
  const chart = answer.chartPivot();
  assert.deepEqual(chart.map(({ x }) => x), expected.months.map(([month]) => month));
  assert.deepEqual(chart.map((row) => +row['orders.count']), expected.months.map(([, count]) => count));
  assert.deepEqual(chart.map((row) => +row['orders.total']), expected.totals);
  assert.deepEqual(answer.series().map(({ key }) => key), ['orders.count', 'customers.count', 'orders.total']);
  assert.deepEqual(answer.pivotQuery().timeDimensions, [{ dimension: 'time', granularity: 'month' }]);
});

test('blended queries in the shorter formats', async () => {
  const plain = await api.load([monthly, { ...monthly, measures: ['orders.total'] }]);
  for (const format of ['compact', 'columnar']) {
    const answer = await api.load([monthly, { ...monthly, measures: ['orders.total'] }], undefined, undefined, format);
    assert.deepEqual(answer.chartPivot(), plain.chartPivot());
  }
});

test('the same measure twice in blended queries', async () => {
  const done = { ...monthly, filters: [{ member: 'orders.status', operator: 'equals', values: ['done'] }] };
  const answer = await api.load([monthly, done]);
  const chart = answer.chartPivot({ aliasSeries: ['all', 'done'] });
  assert.deepEqual(chart.map((row) => +row['all,orders.count']), expected.months.map(([, count]) => count));
  assert.deepEqual(chart.map((row) => +row['done,orders.count']), expected.done_months);
});

test('a bar is opened: the rows behind it are those that it counts', async () => {
  const answer = await api.load({ ...monthly, measures: ['orders.done'], dimensions: ['customers.city'] });
  const [month] = expected.months[2];
  const query = answer.drillDown({ xValues: [month], yValues: ['Rome', 'orders.done'] });
  assert.deepEqual(query.dimensions, ['orders.id']);
  const rows = await api.load({ ...query, order: { 'orders.id': 'asc' } });
  assert.deepEqual(rows.rawData().map((row) => +row['orders.id']), expected.opened);
  assert.ok(expected.opened.length > 0);
});

test('a bar of nothing is opened, with members of another cube', async () => {
  const answer = await api.load({ measures: ['orders.count'], dimensions: ['customers.city'] });
  const query = answer.drillDown({ xValues: [null], yValues: ['orders.count'] });
  assert.deepEqual(query.measures, ['orders.total']);
  const rows = await api.load(query);
  assert.equal(rows.rawData().length, expected.nowhere);
});

test('how many rows there would be', async () => {
  const answer = await api.load({ dimensions: ['customers.city', 'orders.status'], limit: 2, total: true });
  assert.equal(answer.rawData().length, 2);
  assert.equal(answer.totalRows(), expected.groups);
});

test('a view, segments, a time zone, rows as they are', async () => {
  const view = await api.load({ measures: ['sales.count'], dimensions: ['sales.city'], order: { 'sales.city': 'asc' } });
  assert.deepEqual(pick(view.rawData(), 'sales.city', 'sales.count').map(([city, n]) => [city, +n]), expected.by_city);
  const large = await api.load({ measures: ['orders.count'], segments: ['orders.large'] });
  assert.equal(+large.rawData()[0]['orders.count'], expected.large);
  const zone = await api.load({ ...monthly, timezone: 'Pacific/Kiritimati' });
  assert.deepEqual(zone.series()[0].series.map(({ x, value }) => [x, +value]), expected.kiritimati);
  const rows = await api.load({ dimensions: ['orders.id', 'orders.paid'], ungrouped: true, order: { 'orders.id': 'asc' } });
  assert.equal(rows.rawData().length, 400);
});

test('an answer that was stored is the same again', async () => {
  const answer = await api.load(monthly);
  const again = ResultSet.deserialize(JSON.parse(JSON.stringify(answer.serialize())));
  assert.deepEqual(again.chartPivot(), answer.chartPivot());
});

test('a query too long for an address is posted', async () => {
  const values = Array.from({ length: 400 }, (_, n) => `status ${n}`);
  const query = { measures: ['orders.count'], filters: [{ member: 'orders.status', operator: 'equals', values }] };
  assert.equal((await api.load(query)).rawData()[0]['orders.count'], '0');
});

test('meta: members of a query, their operators, the default time', async () => {
  const meta = await api.meta();
  const measures = meta.membersForQuery({}, 'measures');
  assert.ok(measures.some(({ name }) => name === 'orders.count'));
  assert.ok(!meta.membersForQuery({}, 'dimensions').some(({ name }) => name === 'customers.internal'));
  assert.equal(meta.defaultTimeDimensionNameFor('orders.count'), day);
  const operators = (name, kind) => meta.filterOperatorsForMember(name, kind).map((one) => one.name);
  assert.ok(operators('orders.total', 'measures').includes('gte'));
  assert.ok(operators(day, 'dimensions').includes('inDateRange'));
  assert.ok(operators('orders.status', 'dimensions').includes('contains'));
  const member = meta.resolveMember('orders.count', 'measures');
  assert.deepEqual(member.drillMembers.toSorted(), ['customers.city', 'orders.id', 'orders.status', 'orders.total']);
  assert.equal(member.aggType, 'count');
  assert.ok(meta.resolveMember('orders.nothing', 'measures').error);
  const views = await api.meta({ onlyViews: true });
  assert.deepEqual(views.cubes.map(({ name, type }) => [name, type]), [['sales', 'view']]);
  const grouped = meta.membersGroupedByCube();
  assert.deepEqual(grouped.timeDimensions.find(({ cubeName }) => cubeName === 'orders').members.map(({ name }) => name), [day]);
});

test('dry run and SQL', async () => {
  const dry = await api.dryRun({ ...monthly, timeDimensions: [{ dimension: day, granularity: 'month', dateRange: 'last year' }] });
  assert.equal(dry.queryType, 'regularQuery');
  assert.equal(dry.normalizedQueries[0].timeDimensions[0].dateRange.length, 2);
  assert.deepEqual(dry.pivotQuery.measures, ['orders.count']);
  const compared = await api.dryRun({
    ...monthly, timeDimensions: [{ dimension: day, granularity: 'month', compareDateRange: ['this month', 'last month'] }],
  });
  assert.deepEqual(compared.pivotQuery.dimensions, ['compareDateRange']);
  assert.match((await api.sql(monthly)).sql(), /^SELECT|^WITH/i);
  const both = await api.sql([monthly, monthly]);
  assert.equal(both.length, 2);
});

test('errors are RequestErrors, with what the server said', async () => {
  const wrong = api.load({ measures: ['orders.cuont'] });
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.status, 400);
    assert.match(error.message, /did you mean 'orders.count'/);
    assert.deepEqual(Object.keys(error.response), ['error']);
    return true;
  });
  const nothing = await new Promise((resolve) => { api.load({ measures: [] }, {}, (error) => resolve(error)); });
  assert.equal(nothing.status, 400);
  await assert.rejects(client({}, 'no token').load(monthly), { message: 'Invalid token', status: 403 });
  await assert.rejects(client({ apiUrl: 'http://127.0.0.1:1/cubejs-api/v1' }).load(monthly), /network error/i);
});

test('tokens: a text, with Bearer, a function, a header', async () => {
  for (const token of [said.token, `Bearer ${said.token}`, async () => said.token]) {
    assert.equal((await client({}, token).load({ measures: ['orders.count'] })).rawData()[0]['orders.count'], '400');
  }
  const header = client({ headers: { Authorization: said.token } }, undefined);
  assert.equal((await header.load({ measures: ['orders.count'] })).rawData().length, 1);
});
