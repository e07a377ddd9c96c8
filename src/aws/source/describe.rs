//! Describes a source and the sources it takes precedence over.

use super::own::{PROFILE_SOURCES, ProfileSource};
use super::{Base, CredentialSource, Found, SelectedBy, container, has_role};
use crate::aws::profile::ProfileFiles;
use crate::say::text::shown;
use crate::sys::env::Env;
use crate::sys::vars;

impl<'a> CredentialSource<'a> {
    /// The name of the source for messages: its variable, property or profile.
    pub fn name(&self) -> String {
        let base = shown(self.base_profile());
        let named = match (&self.base, self.found) {
            (Base::Keys(_), Found::InEnvironment) => "AWS_ACCESS_KEY_ID in the environment".to_owned(),
            (_, Found::InEnvironment) => "AWS_WEB_IDENTITY_TOKEN_FILE in the environment".to_owned(),
            (of_source, Found::ByCredentialSource) => {
                format!("`credential_source = {}` in profile `{base}`", of_source.credential_source_name())
            }
            (Base::Container(container), _) => format!("{} in the environment", container.variable),
            (Base::Instance, _) => "the EC2 instance metadata service".to_owned(),
            (_, Found::InProfile | Found::LastResort) => match (self.requesting_profile(), self.choice.selected_by) {
                (Some(of), _) => format!("profile `{base}` (source of `{}`)", shown(of)),
                (None, SelectedBy::Variable(variable)) => format!("profile `{base}` ({variable})"),
                (None, SelectedBy::Flag | SelectedBy::Default) => format!("profile `{base}`"),
            },
        };
        match self.choice.selected_by {
            SelectedBy::Variable(variable) if self.overrides_selected_profile() => {
                format!("{named}, which takes precedence over {variable} `{}`", shown(&self.choice.name))
            }
            _ => named,
        }
    }

    /// The other available sources with lower precedence, for `-v`.
    pub fn lower_precedence_sources(&self, env: &Env, files: &ProfileFiles<'a>) -> Vec<String> {
        let mut shadows = Vec::new();
        let environment = Some(env).filter(|_| self.choice.selected_by != SelectedBy::Flag);
        let profile = self.chain().last();
        if self.is_environment_keys() {
            let role = self.profile.as_ref().filter(|profile| has_role(profile).unwrap_or(true));
            shadows.extend(role.map(|profile| format!("the role in profile `{}`", shown(profile.name()))));
        } else if environment.is_none() && env.get(vars::AWS_ACCESS_KEY_ID).is_some() {
            shadows.push("AWS_ACCESS_KEY_ID in the environment".to_owned());
        }
        let consulted = environment.filter(|_| self.roles == 0);
        let is_winner = |own: &ProfileSource| {
            !self.is_environment_keys() && self.found != Found::ByCredentialSource && own.is(&self.base)
        };
        let after = PROFILE_SOURCES.iter().position(is_winner).map_or(0, |at| at + 1);
        for own in &PROFILE_SOURCES[after..] {
            if !matches!(own.find(profile, consulted, files), Ok(None)) && !is_winner(own) {
                let of = profile.map_or(String::new(), |profile| format!(" in profile `{}`", shown(profile.name())));
                shadows.push(format!("{}{of}", own.description()));
            }
        }
        if !matches!(self.base, Base::Container(_)) && self.roles == 0 && !matches!(container(env), Ok(None)) {
            shadows.push("the container's credentials".to_owned());
        }
        shadows
    }
}
