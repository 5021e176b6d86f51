import { act } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { answer, networks } from "../../dev/fakeApi";
import { mount } from "./index";

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) =>
    Response.json(answer(new URL(input).pathname.slice(5), init?.body as string | undefined)),
  );
});
afterEach(() => vi.unstubAllGlobals());

it("lives in a shadow root, keeps its keys to itself, says nothing of its own accord, and leaves nothing", async () => {
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  const send = vi.fn();
  const heard = vi.fn();
  document.addEventListener("keydown", heard);
  const mounted = await act(async () => mount(root, { spec: networks.lenet?.(), revision: 1, api: "http://api.test/api" }, send));
  await act(async () => new Promise((resolve) => setTimeout(resolve)));

  expect(root.querySelector("style")).not.toBeNull();
  const totals = root.querySelector('[data-testid="totals"]');
  expect(totals?.textContent).toContain("44.4 k parameters");
  const undo = root.querySelector('[data-testid="tool-undo"]') as HTMLElement;
  undo.dispatchEvent(new KeyboardEvent("keydown", { key: "c", bubbles: true, composed: true }));
  expect(heard).not.toHaveBeenCalled();
  undo.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true, composed: true }));
  expect(heard).toHaveBeenCalledOnce();

  await act(async () => mounted.update({ spec: networks.residual?.(), revision: 2, api: "http://api.test/api" }));
  await act(async () => new Promise((resolve) => setTimeout(resolve)));
  expect(totals?.textContent).not.toContain("44.4 k parameters");
  await act(async () => mounted.destroy());
  expect(root.childNodes).toHaveLength(0);
  expect(send).not.toHaveBeenCalled();
  document.removeEventListener("keydown", heard);
  host.remove();
});
