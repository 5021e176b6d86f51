import { describe, expect, it } from "vitest";
import { filtered, type Atlas, type Filter, type Topic } from "./filter";

const topic = (id: string, title: string, done: string[] = []): Topic => ({
  id, title, text: "", seconds: 1, done, needs: [], broken: false,
});
const atlas: Atlas = {
  chapters: [
    { title: "One", labs: [topic("one.a", "Momentum"), topic("one.b", "Adam", ["verified"])] },
    { title: "Two", labs: [topic("two.c", "Dropout")] },
  ],
  paths: [{ title: "Short", labs: ["two.c", "one.a", "gone.x"] }],
};
const none: Filter = { words: "", chapter: "", path: "", open: false, time: "" };
const ids = (wanted: Partial<Filter>): string[] =>
  filtered(atlas, { ...none, ...wanted }).flatMap((chapter) => chapter.labs.map((lab) => lab.id));

describe("the filter of the map", () => {
  it("shows everything at first", () => expect(ids({})).toEqual(["one.a", "one.b", "two.c"]));
  it("needs every word", () => {
    expect(ids({ words: "MOM" })).toEqual(["one.a"]);
    expect(ids({ words: "momentum adam" })).toEqual([]);
  });
  it("keeps to a chapter", () => expect(ids({ chapter: "Two" })).toEqual(["two.c"]));
  it("follows a path in its own order and passes over what is not there", () =>
    expect(ids({ path: "Short" })).toEqual(["two.c", "one.a"]));
  it("keeps to what is checked in a second", () => {
    expect(ids({ time: "short" })).toEqual(["one.a", "one.b", "two.c"]);
    expect(ids({ time: "long" })).toEqual([]);
  });
  it("hides what is verified", () => expect(ids({ open: true })).toEqual(["one.a", "two.c"]));
});
