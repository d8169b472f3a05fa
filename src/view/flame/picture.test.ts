import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { changeStep, describeChange } from './change.ts';
import { TextFitter } from './fit-text.ts';
import { layoutTree } from './layout.ts';
import { makeWideFrames, paintLine } from './paint-rows.ts';
import { changeSwatch, contrast, makeTheme, SWATCH_COUNT, SWATCHES } from './palette.ts';
import { formatQuantity, formatShare } from './quantity.ts';
import { clampView, panBy, showRange, wholeView, zoomAt } from './viewport.ts';

/** A root with children of these widths, in this order. */
const rowOf = (...widths: number[]) =>
  layoutTree(
    {
      count: widths.length + 1,
      parent: Int32Array.from([-1, ...widths.map(() => 0)]),
      labelOf: Uint32Array.from([0, ...widths.map((_, at) => at + 1)]),
      self: Float64Array.from([0, ...widths]),
      selfBefore: null,
    },
    'after',
  );

/** Pixels of row 1 as label numbers; 0 is the page. Each label has a swatch of its own, whose pixels are its number. */
function paint(widths: readonly number[], pixels: number, start = 0, span?: number): string {
  const layout = rowOf(...widths);
  const line = new Uint32Array(pixels);
  const palette = Uint32Array.from({ length: (widths.length + 1) * 4 }, (_, at) => at >> 2);
  const options = { swatchOf: Uint8Array.from(layout.labelOf), pixels: palette, isFound: null, wideFrom: 3 };
  paintLine(layout, 1, start, span ?? layout.extent, line, makeWideFrames(), options);
  return line.join('');
}

describe('a line of pixels', () => {
  it('fills frames, with a line to the right of those that are wide enough', () => {
    assert.equal(paint([6, 2, 2], 10), '1111102233');
  });

  it('paints a part of the row', () => {
    assert.equal(paint([6, 2, 2], 8, 4, 4), '11102222');
  });

  it('leaves what nobody called to the page', () => {
    const layout = rowOf(3, 1);
    // As much again as the root's own.
    const line = new Uint32Array(8);
    const options = {
      swatchOf: Uint8Array.from([0, 1, 1]),
      pixels: new Uint32Array(8).fill(7),
      isFound: null,
      wideFrom: 3,
    };
    paintLine(layout, 1, 0, 8, line, makeWideFrames(), options);
    assert.equal(line.join(''), '77770000');
  });

  it('shows frames that are thinner than a pixel, each in its own', () => {
    // Three calls of a pixel each, with a call of a fifth of one in each.
    const layout = layoutTree(
      {
        count: 7,
        parent: Int32Array.from([-1, 0, 0, 0, 1, 2, 3]),
        labelOf: Uint32Array.from([0, 1, 1, 1, 2, 2, 2]),
        self: Float64Array.from([0, 0.8, 0.8, 0.8, 0.2, 0.2, 0.2]),
        selfBefore: null,
      },
      'after',
    );
    const line = new Uint32Array(3);
    const options = { swatchOf: new Uint8Array(7), pixels: new Uint32Array(4).fill(7), isFound: null, wideFrom: 3 };
    paintLine(layout, 2, 0, 3, line, makeWideFrames(), options);
    assert.equal(line.join(''), '777');
  });

  it('shows something wherever there are frames, however thin, and ends whatever the numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), {
          minLength: 1,
          maxLength: 80,
        }),
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1e-10, max: 1, noNaN: true }),
        (widths, pixels, from, part) => {
          const layout = rowOf(...widths.toSorted((a, b) => b - a));
          const line = new Uint32Array(pixels);
          const palette = new Uint32Array(4).fill(9);
          const options = { swatchOf: new Uint8Array(layout.count), pixels: palette, isFound: null, wideFrom: 1e9 };
          const span = layout.extent * part;
          paintLine(layout, 1, from * (layout.extent - span), span, line, makeWideFrames(), options);
          // Only the lines between frames are empty: never two of them together, and none at the edges.
          assert.doesNotMatch(line.join(''), /00/);
          assert.ok(line[0] === 9 || pixels < 4 || line[1] === 9);
        },
      ),
    );
  });

  it('dims what a search has not found', () => {
    const layout = rowOf(2, 2);
    const line = new Uint32Array(4);
    const pixels = Uint32Array.from([1, 1, 5, 5]);
    const options = { swatchOf: new Uint8Array(3), pixels, isFound: Uint8Array.from([0, 0, 1]), wideFrom: 3 };
    paintLine(layout, 1, 0, 4, line, makeWideFrames(), options);
    assert.equal(line.join(''), '5511');
  });

  it('collects the frames that have room for a name', () => {
    const layout = rowOf(6, 2, 2);
    const wide = makeWideFrames();
    const options = { swatchOf: new Uint8Array(4), pixels: new Uint32Array(4), isFound: null, wideFrom: 3 };
    paintLine(layout, 1, 2, 8, new Uint32Array(16), wide, options);
    assert.deepEqual(
      [wide.count, ...wide.frame.subarray(0, 3), ...wide.left.subarray(0, 3), ...wide.right.subarray(0, 3)],
      [3, 1, 2, 3, -4, 8, 12, 8, 12, 16],
    );
  });
});

describe('the palette', () => {
  it('has text that stands out on every swatch, in both themes', () => {
    for (const isDark of [false, true]) {
      const { fill, textOn } = makeTheme(isDark, isDark ? '#16191d' : '#ffffff');
      for (const [at, colour] of fill.entries())
        assert.ok(
          contrast(colour, textOn[at] ?? '') >= 4.5,
          `${colour}: ${contrast(colour, textOn[at] ?? '').toFixed(2)}`,
        );
    }
  });

  it('has a swatch for each step of change, and none of them is one of a group', () => {
    const steps = Array.from({ length: 9 }, (_, at) => changeSwatch(at - 4));
    assert.equal(new Set(steps).size, 9);
    assert.ok(steps.every((swatch) => swatch >= SWATCH_COUNT && swatch < SWATCHES.length));
  });

  it('writes pixels as ImageData has them', () => {
    const { pixels } = makeTheme(false, '#ffffff');
    const [red, green, blue, alpha] = new Uint8Array(pixels.buffer, 0, 4);
    assert.deepEqual([red, green, blue, alpha], [0xe6, 0x9f, 0x00, 0xff]);
  });
});

describe('the scale of change', () => {
  it('counts in points, the same up and down', () => {
    const up = [0, 0.0005, 0.001, 0.006, 0.03, 0.2].map((points) => changeStep(0.3, 0.3 + points));
    const down = [0, 0.0005, 0.002, 0.006, 0.03, 0.2].map((points) => changeStep(0.3 + points, 0.3));
    assert.deepEqual(up, [0, 0, 1, 2, 3, 4]);
    assert.deepEqual(down, [0, 0, -1, -2, -3, -4]);
  });

  it('says points and factor', () => {
    assert.equal(describeChange(0.1, 0.15), '+5.00 points, ×1.50');
    assert.equal(describeChange(0.2, 0), '−20.00 points, gone');
    assert.equal(describeChange(0, 0.2), '+20.00 points, new');
    assert.equal(describeChange(0, 0), '±0.00 points');
  });
});

describe('names in frames', () => {
  it('are cut to the room, plain ones without measuring', () => {
    const measured: string[] = [];
    const fitter = new TextFitter((text) => {
      measured.push(text);
      return text.length * (text.startsWith('长') ? 12 : 6);
    });
    assert.equal(fitter.fit('parseOrders', 66), 'parseOrders');
    assert.equal(fitter.fit('parseOrders', 65), 'parseOrde…');
    assert.equal(fitter.fit('parseOrders', 14), '');
    assert.equal(fitter.fit('长长长长', 48), '长长长长');
    assert.equal(fitter.fit('长长长长', 40), '长长…');
    assert.deepEqual(measured, ['M', '长长长长']);
  });
});

describe('quantities', () => {
  it('have three digits and a unit', () => {
    assert.deepEqual(
      [12, 1234, 12_345, 1_234_567, 98_765_432].map((us) => formatQuantity(us, 'microseconds')),
      ['12 µs', '1.23 ms', '12.3 ms', '1.23 s', '98.8 s'],
    );
    assert.equal(formatQuantity(3_456_789, 'bytes'), '3.46 MB');
    assert.equal(formatQuantity(1, 'samples'), '1 sample');
  });

  it('are never nothing where there is something', () => {
    assert.deepEqual([0, 0.000_01, 0.0123, 0.5].map(formatShare), ['0.00 %', '<0.01 %', '1.23 %', '50.0 %']);
  });
});

describe('the viewport', () => {
  const bounds = { extent: 1000, contentHeight: 900, width: 500, height: 300 };
  const whole = wholeView(bounds);

  it('keeps what is under the pointer while it zooms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (x, factor) => {
        const zoomed = zoomAt(whole, bounds, x, factor);
        assert.ok(Math.abs(zoomed.start + (x / 500) * zoomed.span - x * 2) < 1e-6);
      }),
    );
  });

  it('never leaves the layout', () => {
    const moves = fc.array(
      fc.tuple(fc.double({ min: -9e3, max: 9e3, noNaN: true }), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
    );
    fc.assert(
      fc.property(moves, (list) => {
        let view = whole;
        for (const [by, factor] of list) {
          view = panBy(zoomAt(view, bounds, Math.abs(by) % 500, factor), bounds, by, by);
          assert.ok(view.start >= 0 && view.start + view.span <= 1000 + 1e-9 && view.span > 0);
          assert.ok(view.scrollTop >= 0 && view.scrollTop <= 600);
        }
      }),
    );
  });

  it('fills the width with a range and brings its row into sight', () => {
    assert.deepEqual(showRange(whole, bounds, 200, 300, 720), { start: 200, span: 100, scrollTop: 600 });
    assert.deepEqual(clampView({ start: 990, span: 100, scrollTop: -5 }, bounds), {
      start: 900,
      span: 100,
      scrollTop: 0,
    });
  });
});
