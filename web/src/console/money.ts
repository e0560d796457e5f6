import type { Money } from "./contract.ts";

/** A formatter that takes decimals as text, so that no amount passes through a fraction that isn't one. */
interface ExactFormat {
  format(decimal: string): string;
}
const formats = new Map<string, { exact: ExactFormat; digits: number } | undefined>();

/** An amount in words of `locale`, with as many digits as its currency has. */
export function money({ amount, currency }: Money, locale?: string): string {
  const format = formatOf(currency, locale);
  return format ? format.exact.format(decimal(amount, format.digits)) : `${amount} ${currency}`;
}

function formatOf(currency: string, locale: string | undefined) {
  const key = `${currency} ${locale}`;
  if (!formats.has(key)) {
    try {
      const format = new Intl.NumberFormat(locale, { style: "currency", currency });
      const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
      formats.set(key, { exact: format as ExactFormat, digits });
    } catch {
      // No currency that the browser would take.
      formats.set(key, undefined);
    }
  }
  return formats.get(key);
}

/** Minor units as a decimal number. */
export function decimal(amount: number, digits: number): string {
  const figures = String(Math.abs(amount)).padStart(digits + 1, "0");
  const whole = figures.slice(0, figures.length - digits);
  const sign = amount < 0 ? "-" : "";
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${figures.slice(-digits)}`;
}

/** A number in words of the reader's locale. */
export const count = (number: number): string => number.toLocaleString();
