import { frame, type Mounted, type Send } from "../shared/mount";

export function mount(root: HTMLElement, _data: Record<string, unknown>, _send: Send): Mounted<Record<string, unknown>> {
  frame(root, "", "orrery builder");
  return { update: () => {}, destroy: () => root.replaceChildren() };
}
export default mount;
