import { describe, expect, it } from 'vitest'
import { Catalog } from './meta'

const catalog = new Catalog([
  {
    name: 'sales',
    type: 'view',
    measures: [
      { name: 'sales.orders_count', shortTitle: 'Orders Count', aggType: 'count', aliasMember: 'orders.count' },
      { name: 'sales.orders_total_tax', shortTitle: 'Orders Total Tax', aggType: 'sum', aliasMember: 'orders.total_tax' },
      { name: 'sales.aov', shortTitle: 'AOV (net)', aggType: 'avg', aliasMember: 'orders.aov' },
    ],
    dimensions: [{ name: 'sales.customers_segment', shortTitle: 'Customers Segment', type: 'string', aliasMember: 'customers.segment' }],
  },
  {
    name: 'orders',
    type: 'cube',
    measures: [
      { name: 'orders.count', shortTitle: 'Count', aggType: 'count' },
      { name: 'orders.total_tax', shortTitle: 'Total Tax', aggType: 'sum' },
      { name: 'orders.aov', shortTitle: 'Aov', aggType: 'avg' },
    ],
    dimensions: [{ name: 'orders.order_date', type: 'time' }],
  },
  { name: 'customers', type: 'cube', measures: [], dimensions: [{ name: 'customers.segment', shortTitle: 'Segment', type: 'string' }] },
])

describe('the catalog', () => {
  it('calls members as people do', () => {
    expect(catalog.title('sales.customers_segment')).toBe('Segment')
    expect(catalog.title('sales.orders_total_tax')).toBe('Total tax')
    expect(catalog.title('sales.orders_count')).toBe('Orders count')
    expect(catalog.title('sales.aov')).toBe('AOV (net)')
    expect(catalog.title('gone.some_member')).toBe('Some member')
  })

  it('knows what adds up and what is a moment', () => {
    expect(catalog.additive('sales.orders_count')).toBe(true)
    expect(catalog.additive('sales.aov')).toBe(false)
    expect(catalog.isTime('orders.order_date')).toBe(true)
    expect(catalog.isTime('gone.member')).toBe(false)
  })
})
