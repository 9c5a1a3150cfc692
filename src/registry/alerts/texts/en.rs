//! Alerts in English.

use crate::registry::alerts::texts::{Subjects, Texts};

pub(super) const TEXTS: Texts = Texts {
    subject: "{environment}: {what}",
    subject_of_several: "{environment}: {count} alerts",
    opening: "Alerts for {organization} ({number}) from {issuer}",
    said: "{organization} writes:",
    portal: "See everything on the portal: {address}",
    closing: "You get this mail because the address is an alert point of the organization. Alert points are changed in \
              the business data of the organization.",
    subjects: Subjects {
        access_decided: "a request for access has been answered",
        access_requested: "somebody asks for access",
        access_withdrawn: "an access has been withdrawn",
        certificate_expiring: "a certificate ends soon",
        key_expiring: "a key ends soon",
        prefix_requested: "somebody asks for a prefix",
        scope_deactivated: "a scope has been deactivated",
    },
    access_granted: "{organization} has granted your organization access to the scope {scope}. Put it on a client to \
                     use it.",
    access_denied: "{organization} has denied your organization access to the scope {scope}.",
    access_requested: "{organization} asks for access to the scope {scope}. Grant it or deny it.",
    access_withdrawn: "{organization} has withdrawn your organization's access to the scope {scope}. Your clients get \
                       no more tokens for it.",
    certificate_expiring: "The certificate of the key {kid} on the client {client} ({client_id}) ends at {time}. \
                           Register a key with a new certificate before that, or the client gets no more tokens with it.",
    key_expiring: "The key {kid} on the client {client} ({client_id}) ends at {time}. Register a new key before that, or \
                   the client gets no more tokens with it.",
    prefix_requested: "{organization} asks for the prefix {prefix}. Assign it, or say why not.",
    scope_deactivated: "{organization} has deactivated the scope {scope}. Nobody gets tokens for it any more.",
};
