/** Files that are dropped on the builder. */
import type { DragEvent } from "react";
import type { Model } from "./model";

interface Handlers {
  onDragOver(event: DragEvent): void;
  onDrop(event: DragEvent): void;
}

/** What an element needs so that a dropped file is imported; `then` is called when one was. */
export function useFileDrop(model: Model, then: () => void): Handlers {
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return {
    onDragOver: (event) => {
      if (holdsFile(event)) event.preventDefault();
    },
    onDrop: (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      void model.importFile(event.dataTransfer.files[0]).then(() => model.state.notes.length && then());
    },
  };
}
