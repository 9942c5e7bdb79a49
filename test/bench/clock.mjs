const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Stamps of whole seconds, each written once as long as seconds repeat. */
export class Stamps {
  /** @type {Map<number, string>} */
  #ctimes = new Map();

  /**
   * `Fri Nov 20 23:21:10 2026`
   *
   * @param {number} milliseconds since 1970
   */
  ctime(milliseconds) {
    const second = Math.floor(milliseconds / 1000);
    const known = this.#ctimes.get(second);
    if (known !== undefined) return known;
    if (this.#ctimes.size > 4096) this.#ctimes.clear();
    const text = ctime(new Date(second * 1000));
    this.#ctimes.set(second, text);
    return text;
  }

  /** `2026-11-20 23:21:10` */
  iso(milliseconds) {
    return new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');
  }
}

function ctime(date) {
  const day = String(date.getUTCDate()).padStart(2);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)} ${date.getUTCFullYear()}`;
}
