import { expect } from 'chai';
import { memoryInFlight } from '../../src/tracing/memory-budget.js';

const MEGABYTE = 1024 * 1024;

describe('memoryInFlight', () => {
  it('takes a quarter of the free memory, within bounds', () => {
    expect(memoryInFlight(800 * MEGABYTE)).to.equal(200 * MEGABYTE);
    expect(memoryInFlight(64 * 1024 * MEGABYTE)).to.equal(384 * MEGABYTE);
    expect(memoryInFlight(0)).to.equal(32 * MEGABYTE);
  });

  it('asks the system when it is not told', () => {
    expect(memoryInFlight()).to.be.within(32 * MEGABYTE, 384 * MEGABYTE);
  });
});
