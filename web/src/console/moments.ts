// Times as people read them.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something took. */
export function lasted(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < SECOND) return `${Math.round(time)} ms`;
  if (time < 10 * SECOND) return `${(time / SECOND).toFixed(2)} s`;
  if (time < MINUTE) return `${(time / SECOND).toFixed(1)} s`;
  if (time < HOUR) return `${Math.floor(time / MINUTE)} min ${pad(Math.floor((time % MINUTE) / SECOND))} s`;
  if (time < DAY) return `${Math.floor(time / HOUR)} h ${pad(Math.floor((time % HOUR) / MINUTE))} min`;
  return `${Math.floor(time / DAY)} d ${Math.floor((time % DAY) / HOUR)} h`;
}

/** How long ago something was. */
export function age(milliseconds: number): string {
  // Clocks differ a little.
  const time = Math.max(0, milliseconds);
  if (time < 5 * SECOND) return "just now";
  if (time < MINUTE) return `${Math.floor(time / SECOND)} s ago`;
  if (time < HOUR) return `${Math.floor(time / MINUTE)} min ago`;
  if (time < DAY) return `${Math.floor(time / HOUR)} h ago`;
  return `${Math.floor(time / DAY)} d ago`;
}

/** The reader's time: with its day unless that is today's, and down to milliseconds if asked for. */
export function local(moment: string, now: number, precise = false): string {
  const date = new Date(moment);
  const time = date.toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(precise && { fractionalSecondDigits: 3 as const }),
  });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" as const };
  return `${date.toLocaleDateString([], { day: "numeric", month: "short", ...year })}, ${time}`;
}

/** The same moment for who compares it with logs. */
export function utc(moment: string): string {
  return `${new Date(moment).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** The day of a moment, in UTC, as the books have it. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** Another day, so many days later. */
export function dayAfter(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
