/** Which topics are shown: by words, chapter, learning path, and what is done already. */

export interface Topic {
  id: string;
  title: string;
  text: string;
  seconds: number;
  done: string[];
  needs: string[];
  broken: boolean;
}

export interface Chapter {
  title: string;
  labs: Topic[];
}

export interface Atlas {
  chapters: Chapter[];
  /** Named ways through the curriculum: ids of labs in the order to take them. */
  paths?: { title: string; labs: string[] }[];
}

export interface Filter {
  words: string;
  chapter: string;
  path: string;
  /** Only what has not been verified yet. */
  open: boolean;
  /** How long its claims take: `short` is a second or less, `long` more; empty for both. */
  time: "" | "short" | "long";
}

/** The chapters with the labs that fit; a path is one chapter in its own order. */
export function filtered(atlas: Atlas, wanted: Filter): Chapter[] {
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (lab: Topic): boolean => {
    const text = `${lab.title} ${lab.id} ${lab.text}`.toLowerCase();
    const time = wanted.time === "" || (wanted.time === "short") === lab.seconds <= 1;
    return time && words.every((word) => text.includes(word)) && !(wanted.open && lab.done.includes("verified"));
  };
  const path = atlas.paths?.find((one) => one.title === wanted.path);
  const chapters = path ? [along(atlas, path)] : atlas.chapters;
  return chapters
    .filter((chapter) => !wanted.chapter || path || chapter.title === wanted.chapter)
    .map((chapter) => ({ ...chapter, labs: chapter.labs.filter(fits) }))
    .filter((chapter) => chapter.labs.length);
}

function along(atlas: Atlas, path: { title: string; labs: string[] }): Chapter {
  const all = new Map(atlas.chapters.flatMap((chapter) => chapter.labs).map((lab) => [lab.id, lab]));
  return { title: path.title, labs: path.labs.flatMap((id) => all.get(id) ?? []) };
}
