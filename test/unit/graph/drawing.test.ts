import { describe, expect, it } from 'vitest';
import { graph } from '../../../src/graph/builder.js';
import type { Graph } from '../../../src/graph/definition.js';
import { anyOf, onFailure, optional, orderOnly, settled } from '../../../src/graph/edges.js';

const one = () => 1;

function etl() {
  const g = graph('etl "x"', { version: 2 });
  const extract = g.task('extract', { run: () => [1] });
  const each = g.map('each', { over: extract, run: one });
  const zipped = g.map('zipped', { over: each, after: { extract }, run: one });
  const pause = g.sleep('pause', 5000, { after: { zipped: settled(zipped) } });
  const until = g.sleep('until', () => new Date(), { after: { zipped: optional(zipped) } });
  const approved = g.event('approved', { after: { any: anyOf(pause, until) } });
  const inner = graph('inner', { version: 3 }).outputs({});
  const sub = g.graph('sub', { graph: inner, after: { approved: orderOnly(approved) } });
  g.task('undo', { after: { sub: onFailure(sub), late: orderOnly(settled(pause)) }, run: one });
  return g.outputs({ sub });
}

describe('toMermaid', () => {
  it('draws every kind of node and edge', () => {
    expect(etl().toMermaid()).toMatchInlineSnapshot(`
      "flowchart TD
        n0["extract"]
        n1[/"each"/]
        n2[/"zipped"/]
        n3(["pause: 5000 ms"])
        n4(["until"])
        n5{{"approved"}}
        n6[["sub: inner v3"]]
        n7["undo"]
        n0 ==>|over| n1
        n1 ==>|item by item| n2
        n0 --> n2
        n2 -.->|settled| n3
        n2 -.->|optional| n4
        n3 -.->|any of| n5
        n4 -.->|any of| n5
        n5 -.->|order only| n6
        n6 -.->|on failure| n7
        n3 -.->|order only, settled| n7
      "
    `);
  });

  it('shows states where they are given', () => {
    const text = etl().toMermaid({ states: { extract: 'completed', each: 'in-progress' } });
    expect(text.split('\n').filter((line) => line.includes('class'))).toMatchInlineSnapshot(`
      [
        "  classDef completed fill:#c8e6c9,color:#000",
        "  classDef in_progress fill:#bbdefb,color:#000",
        "  class n0 completed",
        "  class n1 in_progress",
      ]
    `);
  });

  it('names the graphs that a node spawns, itself included', () => {
    const page = graph('page', { version: 3 }).outputs({});
    const g = graph('crawler');
    const a = g.task('a', { spawns: () => [crawler, page], run: () => [1] });
    g.map('b', { over: a, spawns: [page], run: one });
    const crawler: Graph<void, object> = g.outputs({});
    const nodes = crawler.toDot().split('\n').slice(1, 3);
    expect(nodes).toEqual([
      '  n0 [label="a, spawns crawler v1, page v3", shape=box];',
      '  n1 [label="b, spawns page v3", shape=box3d];',
    ]);
  });

  it('takes any id', () => {
    const g = graph('odd');
    for (const id of [
      'end',
      'a"]; b',
      '<b>&#35;',
      '`x`',
      'two\nlines',
      '日本 ä',
      '\\n',
      '(%% x)',
    ]) {
      g.task(id, { run: one });
    }
    expect(g.outputs({}).toMermaid()).toMatchInlineSnapshot(`
      "flowchart TD
        n0["end"]
        n1["a#34;#93;#59; b"]
        n2["#60;b#62;#38;#35;35#59;"]
        n3["#96;x#96;"]
        n4["two#10;lines"]
        n5["日本 ä"]
        n6["#92;n"]
        n7["#40;#37;#37; x#41;"]
      "
    `);
  });
});

describe('toDot', () => {
  it('draws every kind of node and edge', () => {
    expect(etl().toDot()).toMatchInlineSnapshot(`
      "digraph "etl \\"x\\"" {
        n0 [label="extract", shape=box];
        n1 [label="each", shape=box3d];
        n2 [label="zipped", shape=box3d];
        n3 [label="pause: 5000 ms", shape=ellipse];
        n4 [label="until", shape=ellipse];
        n5 [label="approved", shape=hexagon];
        n6 [label="sub: inner v3", shape=component];
        n7 [label="undo", shape=box];
        n0 -> n1 [label="over", style=bold];
        n1 -> n2 [label="item by item", style=bold];
        n0 -> n2 [style=solid];
        n2 -> n3 [label="settled", style=dashed];
        n2 -> n4 [label="optional", style=dashed];
        n3 -> n5 [label="any of", style=dashed];
        n4 -> n5 [label="any of", style=dashed];
        n5 -> n6 [label="order only", style=dashed];
        n6 -> n7 [label="on failure", style=dashed];
        n3 -> n7 [label="order only, settled", style=dashed];
      }
      "
    `);
  });

  it('shows states where they are given, of nodes that there are', () => {
    const text = etl().toDot({ states: { extract: 'aborted', nobody: 'completed' } });
    expect(text.split('\n').filter((line) => line.includes('filled'))).toMatchInlineSnapshot(`
      [
        "  n0 [label="extract", shape=box, style=filled, fillcolor="#ef9a9a"];",
      ]
    `);
  });

  it('takes any id', () => {
    const g = graph('odd');
    for (const id of ['a"]; b', '\\N', 'two\r\nlines', '日本 ä', 'trailing\\', '<b>']) {
      g.task(id, { run: one });
    }
    expect(g.outputs({}).toDot()).toMatchInlineSnapshot(`
      "digraph "odd" {
        n0 [label="a\\"]; b", shape=box];
        n1 [label="\\\\N", shape=box];
        n2 [label="two\\nlines", shape=box];
        n3 [label="日本 ä", shape=box];
        n4 [label="trailing\\\\", shape=box];
        n5 [label="<b>", shape=box];
      }
      "
    `);
  });

  it('does not take the states of objects that nobody gave', () => {
    const g = graph('odd');
    g.task('constructor', { run: one });
    const drawn = g.outputs({});
    expect(drawn.toDot({ states: {} })).not.toContain('filled');
  });
});
