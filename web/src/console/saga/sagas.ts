// The sagas, drawn from the files that are deployed when the page is built.
import cancellation from "../../../../statemachines/cancel-order.asl.json?drawn";
import order from "../../../../statemachines/order-saga.asl.json?drawn";
import type { SagaName } from "../contract.ts";
import type { Drawing } from "./drawing.ts";

export const sagas: Record<SagaName, Drawing> = { "order-saga": order, "cancellation-saga": cancellation };

/** What people call them. */
export const titles: Record<SagaName, string> = { "order-saga": "Order", "cancellation-saga": "Cancellation" };
