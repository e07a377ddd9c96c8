//! The complete list of deliberate differences from the AWS CLI. An exception does not just excuse a difference; it
//! translates a world into one for which the AWS CLI gives the program's answer.

use super::ini::{Ini, Line, Section};
use super::make::World;

pub struct Exception {
    pub name: &'static str,
    /// Translates the world; returns whether there was anything to translate.
    pub translate: fn(&mut World) -> bool,
}

pub const EXCEPTIONS: &[Exception] = &[
    // Windows editors write an invisible one.
    Exception { name: "a byte order mark is ignored", translate: without_marks },
    // Tools append to files without looking for what is there.
    Exception { name: "duplicates are merged, and the later option wins", translate: joined },
    // `[ dev ]` can mean nothing else.
    Exception { name: "blanks just inside brackets are cut", translate: with_trimmed_headers },
    // A mistake in one profile must not affect another.
    Exception { name: "a broken line in an unused section is ignored", translate: without_broken_lines },
    // The same goes for a property that is not read.
    Exception { name: "nested values of other tools are not parsed", translate: without_foreign_tables },
    // No such value can hold ` #`.
    Exception { name: "a comment after a structured value is removed", translate: without_comments_behind },
    // Templates leave them behind.
    Exception { name: "an empty property is unset, except for keys", translate: without_empty_properties },
    // The AWS CLI ignores it, and the session is shorter than requested.
    Exception { name: "a duration_seconds that is not a number is an error", translate: with_impossible_durations },
    // The AWS CLI could find the source in any case, but rejects every case but one before that.
    Exception { name: "credential_source in any case", translate: with_proper_sources },
    // A kubeconfig's `env` cannot unset variables.
    Exception { name: "an empty variable is unset", translate: without_empty_variables },
    // `docker --env-file`, and `$(cat)` of files with CR LF.
    Exception { name: "blanks around keys, URIs and tokens are trimmed", translate: trimmed },
    // The AWS CLI allows this only for keys.
    Exception { name: "a role may start from its own profile's process or SSO", translate: with_sources_apart },
    // Boto 2 and the EC2 tools are long gone.
    Exception { name: "keys of obsolete tools are not read", translate: without_old_tools },
    // The AWS CLI looks for a bearer token there, even for STS.
    Exception { name: "a missing sso_session matters only if it is used", translate: without_idle_sso_sessions },
    // The AWS CLI signs with expired keys.
    Exception { name: "the expiry set by other tools is respected", translate: with_dead_keys },
];

const KEYS: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];

/// Properties whose values cannot contain a blank followed by a comment sign.
const STRUCTURED: [&str; 7] =
    ["region", "role_arn", "source_profile", "mfa_serial", "duration_seconds", "sso_account_id", "sso_role_name"];

/// Applies all changes and returns whether any of them changed something.
fn any_of(changes: impl Iterator<Item = bool>) -> bool {
    changes.filter(|changed| *changed).count() > 0
}

fn is_past(date: &str) -> bool {
    date.starts_with("2020")
}

fn without_marks(world: &mut World) -> bool {
    any_of(world.inis_mut().map(|ini| std::mem::take(&mut ini.bom)))
}

fn joined(world: &mut World) -> bool {
    let join = |ini: &mut Ini| {
        let before = ini.sections.iter().map(|section| 1 + section.lines.len()).sum::<usize>();
        let mut sections: Vec<Section> = Vec::new();
        for section in ini.sections.drain(..) {
            match sections.iter_mut().find(|known| known.header == section.header) {
                Some(known) => known.lines.extend(section.lines),
                None => sections.push(section),
            }
        }
        for section in &mut sections {
            let lines = std::mem::take(&mut section.lines);
            for line in lines {
                if let Line::Property(property) = &line {
                    section.remove(|known| known.key == property.key);
                }
                section.lines.push(line);
            }
        }
        ini.sections = sections;
        ini.sections.iter().map(|section| 1 + section.lines.len()).sum::<usize>() < before
    };
    any_of(world.inis_mut().map(join))
}

fn with_trimmed_headers(world: &mut World) -> bool {
    any_of(world.sections_mut().map(|section| {
        let trimmed = section.header.trim().to_owned();
        let differs = trimmed != section.header;
        section.header = trimmed;
        differs
    }))
}

/// A profile that is certainly used stays broken: the requested one, unless keys take precedence.
fn without_broken_lines(world: &mut World) -> bool {
    let used = (!world.has_keys_in_environment()).then(|| world.chosen().to_owned());
    let clean = |ini: &mut Option<Ini>, name_of: fn(&Section) -> Option<String>| {
        let mut any = false;
        for section in ini.iter_mut().flat_map(|ini| &mut ini.sections) {
            if used.is_none() || name_of(section) != used {
                let before = section.lines.len();
                section.lines.retain(|line| !matches!(line, Line::Broken(_)));
                any |= section.lines.len() < before;
            }
        }
        any
    };
    let of_config = clean(&mut world.config, Section::profile_in_config);
    let of_credentials = clean(&mut world.credentials, |section| Some(section.header.clone()));
    of_config || of_credentials
}

fn without_foreign_tables(world: &mut World) -> bool {
    let is_broken = |value: &str| value.starts_with('\n') && value.lines().skip(1).any(|line| !line.contains('='));
    any_of(world.sections_mut().map(|section| section.remove(|property| is_broken(&property.value))))
}

fn without_comments_behind(world: &mut World) -> bool {
    let mut any = false;
    for property in world.sections_mut().flat_map(Section::properties_mut) {
        let is_structured = STRUCTURED.contains(&property.key.as_str());
        let comment = [" #", " ;", "\t#", "\t;"].iter().filter_map(|start| property.value.find(start)).min();
        if let Some(start) = comment.filter(|_| is_structured) {
            property.value.truncate(start);
            any = true;
        }
    }
    any
}

fn without_empty_properties(world: &mut World) -> bool {
    let is_unset = |key: &str, value: &str| value.is_empty() && !KEYS.contains(&key);
    any_of(world.sections_mut().map(|section| section.remove(|property| is_unset(&property.key, &property.value))))
}

/// STS refuses a duration of many years.
fn with_impossible_durations(world: &mut World) -> bool {
    let mut any = false;
    for property in world.sections_mut().flat_map(Section::properties_mut) {
        if property.key == "duration_seconds" && property.value.parse::<u32>().is_err() {
            property.value = "999999999".to_owned();
            any = true;
        }
    }
    any
}

fn with_proper_sources(world: &mut World) -> bool {
    let mut any = false;
    for property in world.sections_mut().flat_map(Section::properties_mut) {
        let known = ["Environment", "EcsContainer", "Ec2InstanceMetadata"];
        let proper = known.iter().find(|known| known.eq_ignore_ascii_case(&property.value));
        if let Some(proper) = proper.filter(|proper| property.key == "credential_source" && property.value != **proper)
        {
            property.value = (*proper).to_owned();
            any = true;
        }
    }
    any
}

fn without_empty_variables(world: &mut World) -> bool {
    let before = world.env.len();
    world.env.retain(|(_, value)| !value.is_empty());
    world.env.len() < before
}

fn trimmed(world: &mut World) -> bool {
    let mut any = false;
    let texts = world.env.iter_mut().chain(&mut world.files).map(|(_, text)| text);
    for text in texts.filter(|text| !text.contains('[')) {
        let trimmed = text.trim().to_owned();
        any |= trimmed != *text;
        *text = trimmed;
    }
    any
}

fn with_sources_apart(world: &mut World) -> bool {
    let before = world.clone();
    let is_source = |key: &str| key.starts_with("sso_") || key == "credential_process";
    let Some(config) = &mut world.config else { return false };
    let mut apart = None;
    for section in &mut config.sections {
        let Some(name) = section.profile_in_config() else { continue };
        let is_role = before.has(&name, "role_arn") && !KEYS.iter().any(|key| before.has(&name, key));
        let source: Vec<_> = section.properties().filter(|property| is_source(&property.key)).cloned().collect();
        if is_role && !source.is_empty() && source_of(&before, &name).as_ref() == Some(&name) {
            section.remove(|property| is_source(&property.key));
            apart = Some((name, Section::new("profile apart", source)));
        }
    }
    let Some((name, source)) = apart else { return false };
    config.sections.push(source);
    for property in world.sections_mut().flat_map(Section::properties_mut) {
        if property.key == "source_profile" && property.value == name {
            property.value = "apart".to_owned();
        }
    }
    true
}

/// The source of a profile's role; the credentials file takes precedence.
fn source_of(world: &World, profile: &str) -> Option<String> {
    let of_credentials = world.credentials.iter().flat_map(|ini| &ini.sections);
    let of_config = world.config.iter().flat_map(|ini| &ini.sections);
    of_credentials
        .filter(|section| section.header == profile)
        .chain(of_config.filter(|section| section.profile_in_config().is_some_and(|name| name == profile)))
        .find_map(|section| section.value("source_profile"))
        .map(str::to_owned)
}

fn without_old_tools(world: &mut World) -> bool {
    let before = (world.env.len(), world.files.len());
    world.env.retain(|(name, _)| name != "AWS_CREDENTIAL_FILE");
    world.files.retain(|(path, _)| path != ".boto");
    (world.env.len(), world.files.len()) != before
}

fn without_idle_sso_sessions(world: &mut World) -> bool {
    let before = world.clone();
    let has_web_identity = before.profile.is_none() && before.variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some();
    let uses_none = before.has_keys_in_environment() || has_web_identity;
    let is_lost = |name: &str| {
        let headers = [format!("sso-session {name}"), format!("sso-session \"{name}\"")];
        let sections = before.config.iter().flat_map(|ini| &ini.sections);
        let is_whole = |section: &Section| section.has("sso_region") && section.has("sso_start_url");
        !sections.filter(|section| headers.contains(&section.header)).any(is_whole)
    };
    any_of(world.config.iter_mut().flat_map(|ini| &mut ini.sections).map(|section| {
        let Some(profile) = section.profile_in_config() else { return false };
        let has = |key: &str| before.has(&profile, key);
        let is_for_sso = has("sso_account_id") || has("sso_role_name");
        let is_role = has("role_arn") && (has("source_profile") || has("credential_source"));
        let is_idle = uses_none || is_role || has("web_identity_token_file") || !is_for_sso;
        is_idle && section.value("sso_session").is_some_and(is_lost) && section.remove(|one| one.key == "sso_session")
    }))
}

fn with_dead_keys(world: &mut World) -> bool {
    any_of(world.sections_mut().map(|section| {
        let expiry = section.value("x_security_token_expires").or(section.value("aws_expiration"));
        let is_dead = expiry.is_some_and(is_past);
        if is_dead {
            section.set("aws_secret_access_key", "dead");
        }
        is_dead
    }))
}
