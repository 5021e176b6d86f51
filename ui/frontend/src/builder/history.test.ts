import { expect, it } from "vitest";
import { History } from "./history";
import { EMPTY, type Spec } from "./spec";

const step = (number: number): Spec => ({ ...EMPTY, outputs: [String(number)] });

it("takes back and does again more than a hundred steps", () => {
  const history = new History(step(0));
  for (let number = 1; number <= 150; number += 1) history.push(step(number), `step ${number}`);
  for (let number = 150; number >= 1; number -= 1) expect(history.undo()).toBe(`step ${number}`);
  expect(history.spec).toEqual(step(0));
  expect(history.undo()).toBeUndefined();
  for (let number = 1; number <= 150; number += 1) expect(history.redo()).toBe(`step ${number}`);
  expect(history.spec).toEqual(step(150));
  expect(history.redo()).toBeUndefined();
});

it("forgets what was taken back once something else is done", () => {
  const history = new History(step(0));
  history.push(step(1), "one");
  history.undo();
  history.push(step(2), "two");
  expect(history.canRedo).toBe(false);
  expect(history.undo()).toBe("two");
  expect(history.spec).toEqual(step(0));
});

it("counts the typing of one number as one step", () => {
  const history = new History(step(0));
  history.push(step(1), "set", "conv1.out", 1000);
  history.push(step(12), "set", "conv1.out", 1300);
  history.push(step(120), "set", "conv1.out", 1600);
  history.push(step(5), "set", "conv2.out", 1700);
  history.push(step(6), "set", "conv2.out", 9000);
  history.undo();
  expect(history.spec).toEqual(step(5));
  history.undo();
  expect(history.spec).toEqual(step(120));
  history.undo();
  expect(history.spec).toEqual(step(0));
});

it("bounds what it keeps", () => {
  const history = new History(step(0));
  for (let number = 1; number <= 1000; number += 1) history.push(step(number), "step");
  let steps = 0;
  while (history.undo() !== undefined) steps += 1;
  expect(steps).toBe(300);
});
