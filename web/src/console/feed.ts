import { type ShallowRef, onScopeDispose, shallowRef, watch } from "vue";
import type { Api, Refusal } from "./api.ts";
import { type Handle, type Pulse, Scheduler, browserClock } from "./scheduler.ts";

/** How the console hears of what happens. */
export const pulse = shallowRef<Pulse>("live");
export const scheduler = new Scheduler(browserClock, Math.random, (now) => (pulse.value = now));
/** When an answer came last, in milliseconds since 1970. */
export const heardAt = shallowRef(Date.now());
/** Whether somebody wants it to be still. */
export const still = shallowRef(false);

watch(still, (is) => (is ? scheduler.pause("wish") : scheduler.resume("wish")));

/** Nobody asks for who isn't looking. */
export function watchVisibility(): void {
  const look = () => (document.hidden ? scheduler.pause("hidden") : scheduler.resume("hidden"));
  document.addEventListener("visibilitychange", look);
  addEventListener("online", () => scheduler.reconnect());
  look();
}

/** What the API says, kept up to date for as long as it is on screen. */
export interface Feed<T> {
  value: Readonly<ShallowRef<T | undefined>>;
  failure: Readonly<ShallowRef<Error | undefined>>;
  /** Asks as soon as it may. */
  hurry(): void;
}

export interface Question<T> {
  kind: string;
  /** What to read; none: nothing for now. */
  path: () => string | undefined;
  /** How often, in milliseconds, given what was read last. */
  every: (value: T | undefined) => number;
  /** As much of an answer as makes it news; all of it, if not said otherwise. */
  essence?: (value: T) => unknown;
  /** Is told of each answer that is new. */
  heard?: (value: T) => void;
}

export function useFeed<T>(api: Api, { kind, path, every, essence = (value) => value, heard }: Question<T>): Feed<T> {
  const value = shallowRef<T>();
  const failure = shallowRef<Error>();
  let handle: Handle | undefined;

  watch(
    path,
    (wanted, before) => {
      handle?.end();
      handle = undefined;
      if (wanted !== before) value.value = failure.value = undefined;
      if (wanted === undefined) return;
      let tag: string | undefined;
      let text: string | undefined;
      const is = () => path() === wanted;
      handle = scheduler.add({
        kind,
        every: () => every(value.value),
        async ask(signal) {
          try {
            const answer = await api.read<T>(wanted, { tag, signal });
            if (!is()) return "nothing-new";
            heardAt.value = Date.now();
            failure.value = undefined;
            if (!answer.fresh) return "nothing-new";
            tag = answer.tag;
            value.value = answer.value;
            heard?.(answer.value);
            const now = JSON.stringify(essence(answer.value));
            if (now === text) return "nothing-new";
            text = now;
            return "news";
          } catch (error) {
            if (is() && !signal.aborted) failure.value = error as Error;
            throw error;
          }
        },
      });
    },
    { immediate: true },
  );
  onScopeDispose(() => handle?.end());
  return { value, failure, hurry: () => handle?.hurry() };
}

/** Whether the API has refused with one of these. */
export function isRefusal(error: Error | undefined, ...statuses: number[]): error is Refusal {
  return error !== undefined && "status" in error && statuses.includes((error as Refusal).status);
}
