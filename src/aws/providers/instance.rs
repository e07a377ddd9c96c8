//! Credentials of the EC2 instance this runs on.

use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_credential_types::Credentials;

use super::provider::Provider;
use super::sdk;
use crate::aws::error::Error;
use crate::aws::failure::last_cause;
use crate::aws::http;
use crate::say::text::shown;
use crate::sys::{machine, vars};

/// Outside EC2, finding out that there is no metadata service would take seconds. The address is passed explicitly, or
/// the SDK would look for one in the config file.
pub fn credentials(provider: &Provider) -> Result<Credentials, Error> {
    let is_off =
        provider.env.get(vars::AWS_EC2_METADATA_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let address = address(provider)?;
    if is_off || (address.is_none() && !is_ec2_instance()) {
        return Err(match provider.source.is_last_resort() {
            true => {
                let source_name = format!("profile `{}`", shown(provider.source.base_profile()));
                Error::NoCredentials { source_name, hint: provider.source.similar_header.clone() }
            }
            false => provider.failed("this is not an EC2 instance, or its metadata service is disabled".into(), None),
        });
    }
    let config = provider.connection.provider_config(Some(http::local_client()?));
    let address = address.unwrap_or_else(|| "http://169.254.169.254".into());
    let client = imds::Client::builder().configure(&config).endpoint(address.as_str());
    let client = client.map_err(|error| provider.failed(last_cause(&*error), None))?.build();
    sdk::fetch(provider, &ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build())
}

/// The address from the variable or the profile; the address takes precedence over the mode.
fn address(provider: &Provider) -> Result<Option<String>, Error> {
    let setting = |variable: &str, property| match provider.env.get(variable) {
        Some(value) => Ok(Some(value.to_owned())),
        None => match provider.source.profile() {
            Some(profile) => Ok(profile.get(property)?.map(|value| value.text.to_owned())),
            None => Ok(None),
        },
    };
    if let Some(address) = setting(vars::AWS_EC2_METADATA_SERVICE_ENDPOINT, "ec2_metadata_service_endpoint")? {
        return Ok(Some(address));
    }
    let mode = setting(vars::AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, "ec2_metadata_service_endpoint_mode")?;
    let is_ipv6 = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    Ok(is_ipv6.then(|| "http://[fd00:ec2::254]".to_owned()))
}

/// Checks the firmware: `Amazon EC2` on Nitro instances, or a UUID that starts with ec2 on Xen instances.
fn is_ec2_instance() -> bool {
    let starts_with = |text: Option<String>, start: &str| {
        text.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with(start))
    };
    let [vendor, hypervisor_id] = machine::firmware();
    starts_with(vendor, "amazon ec2") || starts_with(hypervisor_id, "ec2")
}
