/** The networks to begin with, by family: the empty canvas first. */
import { useEffect, useMemo, type JSX } from "react";
import { Chooser, type Choice } from "./Chooser";
import { useDesk, useModel, usePart } from "./context";
import { blank } from "./edits";
import { EMPTY } from "./spec";
import { short } from "./words";

const EMPTY_CANVAS = "empty";
const ONE_INPUT = "one-input";
const BEGIN = "Begin";
const HERE = "trains here";

const BEGINNINGS: readonly Choice[] = [
  { key: EMPTY_CANVAS, title: "Empty canvas", group: BEGIN, note: "Nothing at all: build it layer by layer." },
  { key: ONE_INPUT, title: "Only an input", group: BEGIN, note: "One grey picture of 28 × 28 comes in." },
];

export function Gallery(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const templates = usePart((state) => state.templates);
  const online = usePart((state) => state.online);
  useEffect(() => void model.fetchTemplates(), [model]);
  const choices = useMemo(() => {
    const families = [...new Set(templates.map((template) => template.family))];
    const sorted = [...templates].sort((one, other) => families.indexOf(one.family) - families.indexOf(other.family));
    return [
      ...BEGINNINGS,
      ...sorted.map((template): Choice => {
        const numbers = [template.parameters ? `${short(template.parameters)} parameters` : "", template.trainable ? HERE : ""].filter(Boolean).join(" · ");
        return { key: template.name, title: template.title, group: template.family, note: numbers, ...(template.help ? { more: template.help } : {}) };
      }),
    ];
  }, [templates]);
  const choose = (name: string): void => {
    desk.close();
    if (name === EMPTY_CANVAS) model.load(EMPTY, "begin with an empty canvas");
    else if (name === ONE_INPUT) model.load(blank(), "begin with an input");
    else void model.loadTemplate(name, templates.find((template) => template.name === name)?.title ?? name);
  };
  return (
    <Chooser
      label={`Search ${templates.length || ""} templates`.replace("  ", " ")}
      choices={choices}
      grid
      empty={templates.length ? "No template of that name." : online ? "Fetching the templates…" : "The templates come when the server answers."}
      onChoose={choose}
      onClose={() => desk.close()}
    />
  );
}
