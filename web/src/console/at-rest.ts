import type { Examined } from "./contract.ts";

/** Whether nothing will happen to an order unless somebody does something. */
export function isAtRest({ order, runs, payment }: Examined): boolean {
  if (runs.some(({ status }) => status === "RUNNING") || payment?.status === "REFUNDING") return false;
  return !order || order.needs_attention || !isOpen(order.status);
}

/** Whether a saga has yet to end an order of this status. */
export const isOpen = (status: string): boolean => status === "PENDING" || status === "CANCELLING";
