import { describe, expect, test } from "vitest";
import { classColour, colourAt, hex, luminance, pixels, signColour } from "./palette";

const PAPER = { light: hex("#ffffff"), dark: hex("#10141b") };

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

describe("colours", () => {
  test("of classes stand off their background by 3 : 1", () => {
    for (let index = 0; index < 10; index++) {
      expect(contrast(luminance(hex(classColour(index, false))), luminance(PAPER.light))).toBeGreaterThan(3);
      expect(contrast(luminance(hex(classColour(index, true))), luminance(PAPER.dark))).toBeGreaterThan(3);
    }
  });

  test("of ten classes are ten, and come round again", () => {
    expect(new Set(Array.from({ length: 10 }, (_, index) => classColour(index, false))).size).toBe(10);
    expect(classColour(13, true)).toBe(classColour(3, true));
    expect(classColour(-1, true)).toBe(classColour(9, true));
  });

  test("are blue above zero and orange below, on light and dark", () => {
    for (const dark of [false, true]) {
      const [blue, orange] = [hex(signColour(1, dark)), hex(signColour(-1, dark))];
      expect(blue[2]).toBeGreaterThan(blue[0]);
      expect(orange[0]).toBeGreaterThan(orange[2]);
    }
  });

  test("of zero on a signed scale are the background", () => {
    expect(colourAt("signed", 0.5, true, PAPER.dark)).toEqual(PAPER.dark);
  });

  test("of magnitude grow lighter all the way", () => {
    const lights = Array.from({ length: 50 }, (_, index) => luminance(colourAt("sequential", index / 49, false, PAPER.light)));
    for (let index = 1; index < 50; index++) expect(lights[index]).toBeGreaterThan(lights[index - 1]!);
    expect(colourAt("sequential", 0, false, PAPER.light)).toEqual(hex("#440154"));
    expect(colourAt("sequential", 1, false, PAPER.light)).toEqual(hex("#fde725"));
  });
});

test("a table of pixels is little-endian and opaque", () => {
  const table = pixels("grey", false, PAPER.light);
  expect([table[0], table[255]]).toEqual([0xff000000, 0xffffffff]);
  const classes = pixels("classes", false, PAPER.light);
  const [red, green, blue] = hex(classColour(2, false));
  expect(classes[2]).toBe(((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
});
