//! From process start to the first invocation.

use std::process::ExitCode;

use oxcart_telemetry::Chain;

use crate::{Cloud, StartError, cloud::optional, collector};

/// Starts a function: logging, the async runtime, then `wire` for what the handler needs, then `run`
/// with it until the environment ends.
///
/// One thread is enough, since an environment handles one invocation at a time, and half as dear in
/// CPU as the multi-threaded runtime. What `wire` makes lives as long as the process.
pub fn start<S, R>(
    wire: impl FnOnce(&Cloud) -> Result<S, StartError>,
    run: impl FnOnce(&'static S) -> R,
) -> ExitCode
where
    S: 'static,
    R: Future<Output = Result<(), lambda_runtime::Error>>,
{
    let (tracer, failure) = match collector::tracer() {
        Ok(tracer) => (tracer, None),
        Err(error) => (None, Some(error)),
    };
    oxcart_telemetry::init(
        optional("LOG_LEVEL").as_deref(),
        optional("STACK_NAME").as_deref(),
        tracer,
    );
    if let Some(error) = failure {
        // Customers can order without it.
        tracing::error!(error = %Chain(&error), "traces are not exported");
    }
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(%panic, "the function panicked"),
    ));

    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(error = %Chain(&error), "the async runtime did not start");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let cloud = Cloud::load().await;
        let state: &'static S = match wire(&cloud) {
            Ok(state) => Box::leak(Box::new(state)),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the function could not start");
                return ExitCode::FAILURE;
            }
        };
        cloud.connect().await;
        match run(state).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = %Chain(&*error), "the Lambda runtime ended");
                ExitCode::FAILURE
            }
        }
    })
}
