// What the console reads of the API, as far as it does. The whole is in `infra/openapi.yaml`.

export type Role = "customer" | "support" | "admin";
export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
}

export interface Money {
  /** In whole units of the currency's smallest coin. */
  amount: number;
  currency: string;
}
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export const STATUSES = ["PENDING", "CONFIRMED", "REJECTED", "CANCELLING", "CANCELLED"] as const;
export type Status = (typeof STATUSES)[number];

export interface Line {
  sku: string;
  quantity: number;
  unit_price?: Money | null;
}
export interface FoundOrder {
  id: string;
  customer_id: string;
  status: Status;
  lines: Line[];
  total: Money | null;
  reason: string | null;
  payment_status: string;
  needs_attention: boolean;
  created_at: string;
  updated_at: string;
}

export type SagaName = "order-saga" | "cancellation-saga";
export interface Visit {
  state: string;
  entered: string;
  /** Null: it is still there, or ended there. */
  left: string | null;
  failures: { at: string; error: string }[];
}
export interface Run {
  saga: SagaName;
  /** The so-many-th run, from 0 on. */
  number: number;
  name: string;
  status: string;
  started: string;
  ended: string | null;
  error: string | null;
  visits: Visit[];
}
export interface StoryEntry {
  at: string;
  place: string;
  what: string;
  weight: "event" | "step" | "failure" | "trouble";
}
export interface Examined {
  id: string;
  order: ExaminedOrder | null;
  reservation: Reservation | null;
  payment: Payment | null;
  runs_forgotten: boolean;
  runs: Run[];
  story: StoryEntry[];
}
export interface ExaminedOrder extends Omit<FoundOrder, "id"> {
  priced_lines?: Line[] | null;
  action_requested?: boolean;
  due_at?: string | null;
  resumes?: number;
  parked?: { at: string; state: string; error: string } | null;
}
export interface Reservation {
  status: string;
  lines?: Line[] | null;
  updated_at: string;
}
export interface Payment {
  status: string;
  amount?: Money | null;
  decline_code?: string | null;
  intent_id?: string | null;
  refunds?: Record<string, { amount: Money; reason: string; status: string; created_at: string }>;
  updated_at: string;
}

export interface Queue {
  name: string;
  holds: "dead-letters" | "parked-orders" | "parked-events";
  messages: number;
  in_flight: number;
}
export interface Message {
  id: string;
  sent_at: string | null;
  receives: number;
  event_type: string | null;
  order_id: string | null;
  subject: string | null;
  cause: string | null;
  trace_id: string | null;
}
export interface Redriven {
  items: { id: string; done: boolean; says: string }[];
}
export interface Resumed {
  outcome: "restarted" | "running" | "not-open" | "left-to-others";
  says: string;
}

export interface Product {
  sku: string;
  name: string;
  description?: string | null;
  unit_price: Money;
  available: number;
  updated_at: string;
}

export interface Books {
  day: string;
  checked_at: string;
  /** Whether all orders of the day were read. */
  complete: boolean;
  orders: Record<Status, number>;
  money: {
    currency: string;
    charged: number;
    refunded: number;
    kept: number;
    in_open_orders: number;
    difference: number;
  }[];
  invariants: { name: string; holds: boolean; says: string }[];
  findings: { kind: string; order_id: string | null; sku: string | null; says: string; remedy: string }[];
}
