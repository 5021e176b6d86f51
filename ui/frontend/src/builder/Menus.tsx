/** What opens over the canvas: lists to choose from. */
import { useMemo, type JSX, type ReactNode } from "react";
import { Chooser, type Choice } from "./Chooser";
import { useDesk, useModel, usePart, type Menu } from "./context";
import { FileDialog } from "./FileDialog";
import { JsonDialog } from "./JsonDialog";
import { WeightsView } from "./WeightsView";
import { ContextMenu } from "./ContextMenu";
import { Gallery } from "./Gallery";
import { HelpSheet } from "./HelpSheet";
import { kinds, kindWords } from "./kinds";
import { flowOrder, nodeOf, path, type Spec, type SpecNode } from "./spec";
import { shapeWords, typeWords } from "./words";

export function Menus(): JSX.Element | null {
  const { menu } = useDesk();
  if (!menu) return null;
  return (
    <Sheet menu={menu}>
      {menu.kind === "insert" && <Layers edge={menu.edge} />}
      {menu.kind === "append" && <Layers />}
      {menu.kind === "connect" && <Targets />}
      {menu.kind === "find" && <Nodes />}
      {menu.kind === "templates" && <Gallery />}
      {menu.kind === "paste" && <JsonDialog />}
      {menu.kind === "file" && <FileDialog />}
      {menu.kind === "weights" && <WeightsView id={menu.node} />}
      {menu.kind === "help" && <HelpSheet />}
      {menu.kind === "context" && <ContextMenu />}
    </Sheet>
  );
}

function Sheet({ menu, children }: { menu: Menu; children: ReactNode }): JSX.Element {
  const desk = useDesk();
  const near = menu.kind === "insert" || menu.kind === "context" ? menu.near : undefined;
  return (
    <div className={`veil ${near ? "" : "centred"}`} onPointerDown={(event) => event.target === event.currentTarget && desk.close()}>
      <div className={`sheet ${menu.kind}`} data-testid={`menu-${menu.kind}`} ref={(element) => void (element && near && standNear(element, near))}>
        {children}
      </div>
    </div>
  );
}

/** Below the point, or above it where there is no room; always within the builder. */
function standNear(element: HTMLElement, [x, y]: readonly [number, number]): void {
  const room = element.parentElement?.getBoundingClientRect();
  if (!room) return;
  const { offsetWidth, offsetHeight } = element;
  const left = Math.min(Math.max(8, x - room.left - offsetWidth / 2), Math.max(8, room.width - offsetWidth - 8));
  const below = y - room.top + 16;
  const top = below + offsetHeight + 8 <= room.height ? below : Math.max(8, y - room.top - offsetHeight - 16);
  element.style.left = `${left}px`;
  element.style.top = `${top}px`;
}

function Layers({ edge: given }: { edge?: number }): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const known = usePart((state) => state.layers);
  const whole = usePart((state) => state.whole);
  const inside = usePart((state) => state.inside);
  const online = usePart((state) => state.online);
  const layers = useMemo(() => kinds(known, whole, inside), [known, whole, inside]);
  const chosenEdge = usePart((state) => state.edge);
  const edge = given ?? chosenEdge;
  const choices = useMemo(
    () =>
      layers
        .filter((layer) => edge === undefined || layer.inputs[1] !== 0)
        .map((layer): Choice => ({ key: layer.type, title: kindWords(layer.type), group: layer.category, note: layer.help })),
    [layers, edge],
  );
  const link = edge === undefined ? undefined : model.state.spec.edges[edge];
  const label = link ? `Insert between ${link[0]} and ${link[1]}` : `Add after ${model.chosen ?? "the last layer"} (Shift: as a branch)`;
  return (
    <Chooser
      label={label}
      choices={choices}
      empty={layers.length ? "No layer of that name." : online ? "Fetching the layers…" : "The layers come when the server answers."}
      onChoose={(type, { shiftKey }) => {
        edge === undefined ? model.append(type, shiftKey) : model.insertOnEdge(edge, type);
        desk.close();
      }}
      onClose={() => desk.close()}
    />
  );
}

function Targets(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const source = model.chosen ?? "";
  const choices = useMemo(() => targets(spec, source, (node) => model.arity(node.type, node.params)[1]), [spec, source, model]);
  return (
    <Chooser
      label={`Connect ${source} to…`}
      choices={choices}
      empty="Nothing can be fed by this layer without closing a circle."
      onChoose={(key) => {
        const [target, port] = key.split(":") as [string, string | undefined];
        model.connect(source, target, port === undefined ? undefined : Number(port));
        desk.close();
      }}
      onClose={() => desk.close()}
    />
  );
}

/** Every node that `source` may feed; those with several places once for each. */
export function targets(spec: Spec, source: string, most: (node: SpecNode) => number | null): Choice[] {
  return flowOrder(spec).flatMap((id): Choice[] => {
    const node = nodeOf(spec, id) as SpecNode;
    const type = typeWords(node);
    const ports = most(node);
    if (id === source || ports === 0 || path(spec, id, source)) return [];
    if (ports === null || ports === 1) return [{ key: id, title: id, note: type }];
    return Array.from({ length: ports }, (_, port) => ({ key: `${id}:${port}`, title: id, note: `${type}, input ${port + 1}` }));
  });
}

function Nodes(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const description = usePart((state) => state.description);
  const choices = useMemo(
    () =>
      flowOrder(spec).map((id): Choice => {
        const shape = description?.nodes[id]?.output;
        return { key: id, title: id, note: `${nodeOf(spec, id)?.type ?? ""}${shape ? ` · ${shapeWords(shape)}` : ""}` };
      }),
    [spec, description],
  );
  return (
    <Chooser
      label="Find a layer"
      choices={choices}
      onChoose={(id) => {
        desk.close();
        model.select([id]);
        desk.reveal(id);
      }}
      onClose={() => desk.close()}
    />
  );
}
