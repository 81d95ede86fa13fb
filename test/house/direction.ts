/** The check behind the import rules: files in rooms, rooms in layers, arrows only downwards, no cycles. */

/** What each file imports, both as paths from the root. */
export type Graph = Map<string, string[]>;

export interface Rules {
  /** Rooms from the bottom up; a room imports from its own layer and those below. */
  layers: string[][];
  roomOf: (file: string) => string;
  /** Arrows that may point up, as `from -> to`, each with its reason; one that is not used is a violation too. */
  exceptions: Record<string, string>;
  /** Rooms that may use only these, however high they stand. */
  only?: Record<string, string[]>;
}

/** One sentence for every broken rule. */
export function violations(graph: Graph, rules: Rules): string[] {
  const level = new Map(rules.layers.flatMap((rooms, i) => rooms.map((room) => [room, i] as const)));
  const unused = new Set(Object.keys(rules.exceptions));
  const found: string[] = [];
  for (const [from, targets] of graph) {
    const room = rules.roomOf(from);
    const own = level.get(room);
    if (own === undefined) found.push(`${from}: the room ${room} stands in no layer`);
    for (const to of targets) {
      const arrow = `${from} -> ${to}`;
      if (unused.delete(arrow) || arrow in rules.exceptions) continue;
      const other = rules.roomOf(to);
      const up = (level.get(other) ?? Infinity) > (own ?? -1);
      const allowed = rules.only?.[room];
      if (up || (allowed && other !== room && !allowed.includes(other))) found.push(`${arrow} points the wrong way`);
    }
  }
  for (const arrow of unused) found.push(`${arrow} is listed as an exception and does not exist`);
  const roomGraph = roomsOf(graph, rules);
  return [...found, ...cycles(graph).map((c) => `cycle of files: ${c}`), ...cycles(roomGraph).map((c) => `cycle of rooms: ${c}`)];
}

function roomsOf(graph: Graph, rules: Rules): Graph {
  const rooms: Graph = new Map();
  for (const [from, targets] of graph) {
    const room = rules.roomOf(from);
    const others = targets.filter((to) => !(`${from} -> ${to}` in rules.exceptions)).map(rules.roomOf);
    rooms.set(room, [...(rooms.get(room) ?? []), ...others.filter((other) => other !== room)]);
  }
  return rooms;
}

/** Every cycle that a depth-first walk closes, as `a -> b -> a`. */
export function cycles(graph: Graph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) found.push([...path.slice(at), node].join(' -> '));
    if (at >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}
