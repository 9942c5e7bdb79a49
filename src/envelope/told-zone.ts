/** Two lines of one moment may be so far apart, in milliseconds: programs that start together write them. */
const NEAR_MS = 10 * 60_000;

/**
 * The zone of stamps that tell none, where others of the same log tell theirs: gunicorn's `+0200` among the lines of celery and
 * supervisord. Where the two kinds first meet, they are of one moment either on the clock on the wall or in UTC; where they are of none
 * nobody can tell.
 */
export class ToldZone {
  /** The last stamp, as it stands; and what it says that it is ahead of UTC, null where it says nothing. */
  private last: {readonly wall: number; readonly ahead: number | null} | null = null;
  private isDecided = false;
  /** What the stamps without a zone are ahead of UTC. */
  private ahead = 0;

  /** Whether stamps without a zone are known to be of one that others tell. */
  get isKnown(): boolean {
    return this.ahead !== 0;
  }

  /**
   * The next stamp: `time` is in UTC where it says how far it is `ahead` of that, else it is what the clock on the wall showed.
   *
   * @returns Whether it has shown the zone of those that tell none.
   */
  meet(time: number, ahead: number | null): boolean {
    if (this.isDecided) return false;
    const {last} = this;
    const wall = time + (ahead ?? 0);
    this.last = {wall, ahead};
    if (last === null || (last.ahead === null) === (ahead === null)) return false;
    this.isDecided = true;
    const told = last.ahead ?? ahead ?? 0;
    const onWall = Math.abs(wall - last.wall);
    const inUtc = Math.abs(wall - (ahead ?? 0) - (last.wall - (last.ahead ?? 0)));
    if (told === 0 || onWall > NEAR_MS || onWall >= inUtc) return false;
    this.ahead = told;
    return true;
  }

  /** A stamp without a zone, in UTC. */
  toUtc(wall: number): number {
    return wall - this.ahead;
  }
}
