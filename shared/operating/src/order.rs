//! What happened to one order, across the services.

use std::time::Duration;

use futures::future::try_join_all;
use oxcart_domain::OrderId;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    cloud::Cloud,
    failure::{Failure, Outcome},
    gateway::{GivenBack, Intent},
    items::{Order, Payment, Reservation},
    sagas::Run,
    story::{Entry, story},
};

/// How long the payment gateway may take: an order has a story without it, too.
const PATIENCE: Duration = Duration::from_secs(8);

/// All that the shop knows of an order.
#[derive(Debug, Serialize)]
pub struct Known {
    /// Its id.
    pub id: OrderId,
    /// The order itself.
    pub order: Option<Order>,
    /// What the inventory says of it.
    pub reservation: Option<Reservation>,
    /// What payments say of it.
    pub payment: Option<Payment>,
    /// Whether nobody knows of the runs: they were those of Express sagas.
    pub runs_forgotten: bool,
    /// The runs of its sagas, in the order in which they started.
    pub runs: Vec<Run>,
    /// What happened, in the order of time.
    pub story: Vec<Entry>,
}

/// What the payment gateway says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "asked")]
pub enum AtGateway {
    /// There is nothing to ask it about.
    NotNeeded,
    /// It was not asked, or did not answer.
    Not {
        /// Why.
        why: String,
    },
    /// It was asked.
    Yes {
        /// The intent that our record names; none if the gateway has none under its id.
        intent: Option<Intent>,
        /// What was given back of it.
        refunds: Vec<GivenBack>,
    },
}

impl Cloud {
    /// All that the shop knows of an order. None if that is nothing.
    ///
    /// # Errors
    /// When something of it can't be read.
    pub async fn known_of(&self, id: OrderId) -> Outcome<Option<Known>> {
        let (order, reservation, payment) =
            futures::try_join!(self.order(id), self.reservation(id), self.payment(id))?;
        let resumes = order.as_ref().map_or(0, |order| order.resumes);
        let runs = self.runs(id, resumes).await?;
        if order.is_none() && reservation.is_none() && payment.is_none() && runs.is_empty() {
            return Ok(None);
        }
        let story = story(
            order.as_ref(),
            reservation.as_ref(),
            payment.as_ref(),
            &runs,
        );
        Ok(Some(Known {
            id,
            order,
            reservation,
            payment,
            runs_forgotten: self.forgets_runs(),
            runs,
            story,
        }))
    }

    /// What the payment gateway says of a payment.
    pub async fn at_gateway(&self, payment: Option<&Payment>) -> AtGateway {
        let Some(id) = payment.and_then(|payment| payment.intent_id.as_deref()) else {
            return AtGateway::NotNeeded;
        };
        let ask = async {
            let gateway = self.gateway().await?;
            let intent = gateway.intent(id).await?;
            let charged = intent.iter().filter(|intent| intent.is_charged());
            let refunds =
                try_join_all(charged.map(|intent| gateway.refunds_of(&intent.id))).await?;
            Ok::<_, Failure>((intent, refunds.concat()))
        };
        match timeout(PATIENCE, ask).await {
            Ok(Ok((intent, refunds))) => AtGateway::Yes { intent, refunds },
            Ok(Err(failure)) => AtGateway::Not {
                why: failure.to_string(),
            },
            Err(_) => AtGateway::Not {
                why: "The payment gateway takes too long.".to_owned(),
            },
        }
    }
}
