//! `GET /operations/queues`: how much was given up.

use futures::future::try_join_all;
use oxcart_domain::user::Role;
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};
use oxcart_operating::{
    Cloud, Failure,
    queues::{Depth, Holds, Queue},
};
use serde::Serialize;

use crate::refusal::refused;

/// A list that is answered as a whole.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    /// All there is to it.
    pub(crate) items: Vec<T>,
}

#[derive(Debug, Serialize)]
struct QueueView {
    name: String,
    holds: &'static str,
    messages: u64,
    in_flight: u64,
}

/// Answers every queue of what was given up, and how many messages it has.
///
/// # Errors
/// 401; 403 for all but admins.
pub async fn handle(cloud: &Cloud, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_operate, &request)?;
    let queues = cloud.queues().map_err(refused)?;
    let counted = queues.into_iter().map(async |queue| {
        let depth = cloud.depth(&queue).await?;
        Ok::<_, Failure>(QueueView::new(queue, depth))
    });
    let items = try_join_all(counted).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &List { items })?.conditional(&request))
}

/// The queue that the request's path names.
///
/// # Errors
/// 404.
pub(crate) fn queue_of(cloud: &Cloud, request: &Request) -> Result<Queue, Problem> {
    let name = path_parameter(request, "queue", Some)?;
    let queue = cloud.find_queue(&name).map_err(refused)?;
    queue.ok_or_else(Problem::not_found)
}

impl QueueView {
    fn new(queue: Queue, depth: Depth) -> Self {
        Self {
            name: queue.short_name,
            holds: match queue.holds {
                Holds::DeadLetters { .. } => "dead-letters",
                Holds::ParkedOrders => "parked-orders",
                Holds::ParkedEvents => "parked-events",
            },
            messages: depth.messages,
            in_flight: depth.in_flight,
        }
    }
}
