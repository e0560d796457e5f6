//! Copies of deployed functions with a setting of their own, for what can't be changed under everybody
//! else's feet.

use aws_sdk_lambda::{
    primitives::Blob,
    types::{Environment, FunctionCode, FunctionConfiguration, State},
};
use uuid::Uuid;

use crate::{
    eventually::{PATIENCE, eventually},
    stack::Stack,
};

impl Stack {
    /// Deploys a function a second time, with another value of one variable, and answers the name to
    /// invoke it by.
    pub async fn copy_function(&self, binary: &str, variable: &str, value: &str) -> String {
        let original = self
            .lambda
            .get_function()
            .function_name(self.function(binary))
            .send()
            .await
            .unwrap_or_else(|error| panic!("no function {binary}: {error:?}"));
        let configuration = original.configuration().expect("a configuration");
        let code = original.code().and_then(|code| code.location());
        let code = download(code.expect("a place where the code is")).await;

        let copy = format!("{binary}-{}", &Uuid::new_v4().simple().to_string()[..8]);
        self.lambda
            .create_function()
            .function_name(self.function(&copy))
            .set_runtime(configuration.runtime().cloned())
            .set_handler(configuration.handler().map(ToOwned::to_owned))
            .set_role(configuration.role().map(ToOwned::to_owned))
            .set_architectures(Some(configuration.architectures().to_vec()))
            .set_memory_size(configuration.memory_size())
            .set_timeout(configuration.timeout())
            .set_logging_config(configuration.logging_config().cloned())
            .environment(environment(configuration, variable, value))
            .code(FunctionCode::builder().zip_file(Blob::new(code)).build())
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot copy {binary}: {error:?}"));
        self.await_function(&copy).await;
        copy
    }

    /// Removes a copy.
    pub async fn remove_copy(&self, copy: &str) {
        self.lambda
            .delete_function()
            .function_name(self.function(copy))
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot remove {copy}: {error:?}"));
    }

    async fn await_function(&self, binary: &str) {
        eventually(&format!("{binary} is active"), PATIENCE, async || {
            let configuration = self
                .lambda
                .get_function_configuration()
                .function_name(self.function(binary))
                .send()
                .await
                .map_err(|error| format!("{error:?}"))?;
            match configuration.state() {
                Some(State::Active) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

/// The function's environment with another value of one variable, which it must have.
fn environment(configuration: &FunctionConfiguration, variable: &str, value: &str) -> Environment {
    let original = configuration.environment();
    let variables = original.and_then(|environment| environment.variables());
    let mut variables = variables.cloned().unwrap_or_default();
    let replaced = variables.insert(variable.to_owned(), value.to_owned());
    assert!(replaced.is_some(), "the function has no {variable}");
    Environment::builder()
        .set_variables(Some(variables))
        .build()
}

async fn download(address: &str) -> Vec<u8> {
    let answer = reqwest::get(address)
        .await
        .and_then(reqwest::Response::error_for_status)
        .unwrap_or_else(|error| panic!("the code can't be read: {error}"));
    let code = answer.bytes().await.expect("all of the code");
    code.to_vec()
}
