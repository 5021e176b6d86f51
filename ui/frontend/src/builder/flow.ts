/** The network as React Flow wants it: cards with sizes and places, wires with shapes. */
import { Position, type Edge, type Node } from "@xyflow/react";
import type { Arity, ArityOf } from "./edits";
import type { LayerType, NodeFacts, Problem, Shape } from "./api";
import { detours } from "./detours";
import { fillIn, layout, type Direction, type Point, type Route, type Size } from "./layout";
import { links, type Link, type SpecNode } from "./spec";
import type { State } from "./state";
import { paramWords, worst } from "./words";

export interface CardData extends Record<string, unknown> {
  readonly node: SpecNode;
  readonly facts: NodeFacts | undefined;
  readonly params: string;
  readonly category: number;
  readonly direction: Direction;
  /** How many separate inputs the card has. */
  readonly ports: number;
  /** How many outputs one can draw a wire from. */
  readonly outs: number;
  readonly output: boolean;
}

export interface WireData extends Record<string, unknown> {
  readonly index: number;
  readonly source: string;
  readonly target: string;
  readonly shape: Shape | null | undefined;
  readonly level: "error" | "warning" | undefined;
  readonly route: Route | undefined;
  readonly direction: Direction;
  /** `source-target`, with the port behind it where two wires join the same nodes. */
  readonly name: string;
}

export type CardNode = Node<CardData, "card">;
export type WireEdge = Edge<WireData, "wire">;

export const CARD_WIDTH = 192;
const CARD_HEIGHT = 74;
const MESSAGE_HEIGHT = { error: 56, warning: 26 };
const FIX_HEIGHT = 30;
/** How many repairs stand on a card; the inspector has all. */
export const FIXES_SHOWN = 2;
export const HANDLE = 24; // [px], large enough for a finger

export function cardSize(facts: NodeFacts | undefined): Size {
  const problem = worst(facts?.problems ?? []);
  if (!problem) return { width: CARD_WIDTH, height: CARD_HEIGHT };
  const fixes = fixesOnCard(problem).length;
  return { width: CARD_WIDTH, height: CARD_HEIGHT + MESSAGE_HEIGHT[problem.level] + fixes * FIX_HEIGHT };
}

/** The repairs that are offered on the card itself: those of an error. */
export function fixesOnCard(problem: Problem): NonNullable<Problem["fixes"]> {
  return problem.level === "error" ? (problem.fixes ?? []).slice(0, FIXES_SHOWN) : [];
}

const COLOURS = 10;
/** A chosen wire lies above the cards, so that its ends can be taken and put elsewhere. */
const ABOVE = 2000;

export interface Arranged {
  /** All that the arrangement follows from; a new parameter need not arrange anything anew. */
  readonly key: string;
  readonly places: ReadonlyMap<string, Point>;
  readonly routes: ReadonlyMap<number, Route>;
  readonly sizes: ReadonlyMap<string, Size>;
}

/** Places from the spec once somebody has moved a node, else a layout of our own. */
export function arranged(state: Pick<State, "spec" | "description">, direction: Direction, view: Size, before?: Arranged): Arranged {
  const { spec, description } = state;
  const sizes = new Map(spec.nodes.map((node) => [node.id, cardSize(description?.nodes[node.id])]));
  const key = JSON.stringify([spec.nodes.map((node) => [node.id, node.position, sizes.get(node.id)?.height]), spec.edges, direction, view]);
  if (before?.key === key) return before;
  if (!spec.nodes.some((node) => node.position)) return { key, sizes, ...layout(spec, sizes, direction, view) };
  const places = fillIn(spec, sizes, direction);
  return { key, sizes, places, routes: detours(spec, places, sizes, direction) };
}

/** Cards; one that did not change stays the same object, so that it is not drawn again. */
export function cards(
  state: Pick<State, "spec" | "description" | "layers" | "selection"> & { readonly arity: ArityOf },
  { places, sizes }: Arranged,
  direction: Direction,
  before: readonly CardNode[],
): CardNode[] {
  const old = new Map(before.map((card) => [card.id, card]));
  const layers = new Map(state.layers.map((layer) => [layer.type, layer]));
  const categories = categoryNumbers(state.layers);
  const last = new Set(state.spec.outputs.map((end) => end.split(".")[0]));
  return state.spec.nodes.map((node) => {
    const layer = layers.get(node.type);
    const data: CardData = {
      node,
      facts: state.description?.nodes[node.id],
      params: paramWords(node, layer),
      category: node.type === "Block" ? -1 : (categories.get(layer?.category ?? "") ?? -1),
      direction,
      ports: portsOf(state.arity(node.type, node.params)),
      outs: Math.max(1, state.description?.nodes[node.id]?.outputs?.length ?? 1),
      output: last.has(node.id),
    };
    return card(node.id, data, places.get(node.id) ?? [0, 0], sizes.get(node.id) as Size, state.selection.has(node.id), old.get(node.id));
  });
}

function card(id: string, data: CardData, [x, y]: Point, size: Size, selected: boolean, old: CardNode | undefined): CardNode {
  const sameData = old && (Object.keys(data) as (keyof CardData)[]).every((key) => old.data[key] === data[key]);
  if (sameData && old.position.x === x && old.position.y === y && old.selected === selected && old.height === size.height) return old;
  return {
    id,
    type: "card",
    position: { x, y },
    selected,
    ...size,
    measured: size,
    // A card that only moved keeps its contents, so that they are not drawn again.
    handles: sameData && old.height === size.height ? (old.handles as NonNullable<CardNode["handles"]>) : handles(data, size),
    data: sameData ? old.data : data,
  };
}

/** Where the handles are, told in advance: wires to cards that are not drawn can then be drawn. */
function handles({ direction, ports, outs }: CardData, { width, height }: Size): NonNullable<CardNode["handles"]> {
  const across = direction === "right";
  const half = HANDLE / 2;
  const square = { width: HANDLE, height: HANDLE };
  const inputs = Array.from({ length: ports }, (_, port) => {
    const along = portShare(port, ports);
    const [x, y] = across ? [-half, height * along - half] : [width * along - half, -half];
    return { ...square, id: String(port), type: "target" as const, position: across ? Position.Left : Position.Top, x, y };
  });
  const outputs = Array.from({ length: outs }, (_, out) => {
    const along = portShare(out, outs);
    const [x, y] = across ? [width - half, height * along - half] : [width * along - half, height - half];
    return { ...square, id: outHandle(out), type: "source" as const, position: across ? Position.Right : Position.Bottom, x, y };
  });
  return [...inputs, ...outputs];
}

/** The name of the dot of an output: `out`, `out.1`; what follows `out` is what an edge writes behind its source. */
export function outHandle(out: number): string {
  return out === 0 ? "out" : `out.${out}`;
}

/** The middle of one of a card's dots on the canvas. */
export function dotOf(card: CardNode | undefined, handle: string | null | undefined): Point | undefined {
  const found = card?.handles?.find((one) => one.id === handle);
  if (!card || !found) return undefined;
  return [card.position.x + found.x + HANDLE / 2, card.position.y + found.y + HANDLE / 2];
}

/** How far along its side of the card an input sits, from 0 to 1. */
export function portShare(port: number, ports: number): number {
  return (port + 1) / (ports + 1);
}

/** Layers with a fixed number of inputs show each; others take all at one place. */
function portsOf([, most]: Arity): number {
  return most === null ? 1 : most;
}

export function categoryNumbers(layers: readonly LayerType[]): Map<string, number> {
  return new Map([...new Set(layers.map((layer) => layer.category))].map((name, number) => [name, number]));
}

/** The class that gives a category its colour. */
export function kindClass(category: number | undefined): string {
  if (category === undefined || category < 0) return "kind-none";
  return category < COLOURS ? `kind-${category}` : `kind-${category % COLOURS} again`;
}

export function wires(
  state: Pick<State, "spec" | "description" | "edge"> & { readonly arity: ArityOf },
  routes: ReadonlyMap<number, Route>,
  direction: Direction,
  before: readonly WireEdge[],
): WireEdge[] {
  const old = new Map(before.map((wire) => [wire.id, wire]));
  const shapes = shapesOf(state);
  const ports = new Map(state.spec.nodes.map((node) => [node.id, portsOf(state.arity(node.type, node.params))]));
  const outs = new Map(state.spec.nodes.map((node) => [node.id, state.description?.nodes[node.id]?.outputs?.length ?? 1]));
  const seen = new Set<string>();
  return links(state.spec).map((link) => {
    const pair = `${link.source}-${link.target}`;
    const name = seen.has(pair) ? `${pair}-${link.port}` : pair;
    seen.add(pair);
    const { index, source, target } = link;
    const level = worst(state.description?.nodes[target]?.problems ?? [])?.level;
    const data: WireData = { index, source, target, name, direction, level, shape: shapes(link), route: routes.get(index) };
    const port = Math.min(link.port, Math.max(0, (ports.get(target) ?? 1) - 1));
    const suffix = link.end.slice(source.length);
    const out = Number(suffix.slice(1)) < (outs.get(source) ?? 1) ? `out${suffix}` : "out";
    return wire(`${link.end}>${target}>${link.port}`, data, [out, String(port)], state.edge === index, old);
  });
}

function wire(id: string, data: WireData, [sourceHandle, targetHandle]: readonly [string, string], selected: boolean, before: ReadonlyMap<string, WireEdge>): WireEdge {
  const old = before.get(id);
  const same =
    old &&
    old.selected === selected &&
    old.sourceHandle === sourceHandle &&
    old.targetHandle === targetHandle &&
    (Object.keys(data) as (keyof WireData)[]).every((key) => old.data?.[key] === data[key]);
  if (same) return old;
  return { id, type: "wire", source: data.source, sourceHandle, target: data.target, targetHandle, selected, zIndex: selected ? ABOVE : 0, data };
}

/** The shape on a link: told for the edge, else the output of its source. */
function shapesOf({ description }: Pick<State, "description">): (link: Link) => Shape | null | undefined {
  const told = new Map<string, Shape | null>();
  for (const { source, target, shape } of description?.edges ?? []) told.set(`${source}>${target}`, shape);
  return ({ end, source, target }) => {
    const shape = told.get(`${end}>${target}`) ?? told.get(`${source}>${target}`);
    return shape ?? (end === source ? description?.nodes[source]?.output : undefined);
  };
}
