/** Update jobs and their members, as they survive a restart. What is in `facts` is the caller's, as text. */
import type { Connection } from './database.js';

export interface StoredUpdateJob {
  id: string;
  facts: string;
  /** Of its members, in order. */
  members: string[];
}

export class UpdateJobTable {
  constructor(private readonly db: Connection) {}

  add({ id, facts, members }: StoredUpdateJob): void {
    this.db.transaction(() => {
      this.db.prepare('INSERT INTO update_jobs (id, facts) VALUES (?, ?)').run(id, facts);
      const insert = this.db.prepare('INSERT INTO update_members (job, place, facts) VALUES (?, ?, ?)');
      for (const [place, each] of members.entries()) insert.run(id, place, each);
    })();
  }

  save(id: string, facts: string): void {
    this.db.prepare('UPDATE update_jobs SET facts = ? WHERE id = ?').run(facts, id);
  }

  saveMember(job: string, place: number, facts: string): void {
    this.db.prepare('UPDATE update_members SET facts = ? WHERE job = ? AND place = ?').run(facts, job, place);
  }

  remove(id: string): void {
    this.db.transaction(() => {
      this.db.prepare('DELETE FROM update_members WHERE job = ?').run(id);
      this.db.prepare('DELETE FROM update_jobs WHERE id = ?').run(id);
    })();
  }

  /** All of them, oldest first. */
  all(): StoredUpdateJob[] {
    const jobs = this.db.prepare('SELECT id, facts FROM update_jobs ORDER BY rowid').all() as { id: string; facts: string }[];
    const members = new Map(jobs.map(({ id }): [string, string[]] => [id, []]));
    const rows = this.db.prepare('SELECT job, facts FROM update_members ORDER BY job, place').all() as { job: string; facts: string }[];
    for (const { job, facts } of rows) members.get(job)?.push(facts);
    return jobs.map((job) => ({ ...job, members: members.get(job.id)! }));
  }
}
