//! Users of the portal, and what they prove themselves with.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::user::{Role, User, UserId, UserStatus};
use crate::store::database::{query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction, as_json, from_json, named};

/// A user with what is kept to know them by.
#[derive(Clone, Debug)]
pub struct UserFile {
    /// The user.
    pub user: Recorded<User>,
    /// What they prove themselves with.
    pub proofs: UserProofs,
    /// When somebody who was not signed in last had a mail sent to the address.
    pub mailed_at: Timestamp,
}

/// What a user proves themselves with, as it is kept.
#[derive(Clone, Default)]
pub struct UserProofs {
    /// The hash of the password in PHC form, if the user has one.
    pub password_hash: Option<String>,
    /// The sealed secret of the second factor, if one has been made.
    pub totp_secret: Option<String>,
    /// Whether the second factor has been proved once, and is asked for since.
    pub totp_active: bool,
    /// The last step of time whose code was used.
    pub totp_step: i64,
    /// Hashes of recovery codes that have not been used.
    pub recovery_codes: Vec<String>,
    /// Issuer and subject at an OpenID provider.
    pub open_id: Option<(String, String)>,
}

impl std::fmt::Debug for UserProofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserProofs(not shown)")
    }
}

/// Which users a list is to show, by address.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Of this organization.
    pub organization: Option<OrganizationNumber>,
    /// Whose name or address holds this.
    pub text: Option<String>,
    /// After this address.
    pub after: Option<EmailAddress>,
}

#[derive(FromRow)]
pub(super) struct UserRow {
    id: String,
    email: String,
    name: String,
    organization_number: String,
    language: String,
    status: String,
    roles: String,
    password_hash: Option<String>,
    totp_secret: Option<String>,
    totp_active: bool,
    totp_step: i64,
    recovery_codes: String,
    oidc_issuer: Option<String>,
    oidc_subject: Option<String>,
    mailed_at: i64,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

kept! {
    UserRow: "portal_user", 1;
}

/// The columns of [`UserRow`], of a table that is called `u`.
pub(super) const COLUMNS: &str = "u.id, u.email, u.name, u.organization_number, u.language, u.status, u.roles, \
     u.password_hash, u.totp_secret, u.totp_active, u.totp_step, u.recovery_codes, u.oidc_issuer, u.oidc_subject, \
     u.mailed_at, u.created_at, u.updated_at, u.version";

impl Store {
    /// The user of that address.
    pub async fn user_by_email(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<UserFile>, StoreError> {
        find_by_email(self.reading(), email).await
    }

    /// The user of that identifier.
    pub async fn user(&self, id: &UserId) -> Result<Option<UserFile>, StoreError> {
        find(self.reading(), id).await
    }

    /// Users by address, at most `limit`.
    pub async fn users(
        &self,
        filter: &UserFilter,
        limit: u32,
    ) -> Result<Page<Recorded<User>>, StoreError> {
        let of_one = match filter.organization {
            Some(_) => "u.organization_number = $1",
            None => "$1 is null",
        };
        let searched = super::small("u.email || ' ' || u.name");
        let sql = format!(
            "select {COLUMNS} from portal_user u where {of_one} and ($2 is null or u.email > $2) \
             and ($3 is null or {searched} like $3 escape '\\') \
             order by u.email limit $4"
        );
        let list = |rows: i64| {
            query_of(sql.clone())
                .bind(filter.organization.map(|number| number.to_string()))
                .bind(filter.after.as_ref().map(EmailAddress::as_str))
                .bind(filter.text.as_deref().map(super::like))
                .bind(rows)
        };
        let Page { items, has_more } = self.page::<UserRow, UserFile>(limit, list).await?;
        Ok(Page { items: items.into_iter().map(|file| file.user).collect(), has_more })
    }

    /// Active users of an organization with this role, by address, at most `limit`.
    pub async fn users_with_role(
        &self,
        organization: OrganizationNumber,
        role: Role,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from portal_user u where u.organization_number = $1 and u.status = 'active' \
             and ' ' || u.roles || ' ' like $2 order by u.email limit $3"
        );
        let list = query_of(sql)
            .bind(organization.as_str())
            .bind(format!("% {} %", role.name()))
            .bind(i64::from(limit));
        let files: Vec<UserFile> = self.reading().readable::<UserRow, _>(list).await?;
        Ok(files.into_iter().map(|file| file.user.value).collect())
    }
}

impl Transaction {
    /// The user of that identifier, as this change sees it.
    pub async fn user(&mut self, id: &UserId) -> Result<Option<UserFile>, StoreError> {
        find(self.reading(), id).await
    }

    /// The user of that address, as this change sees it.
    pub async fn user_by_email(
        &mut self,
        email: &EmailAddress,
    ) -> Result<Option<UserFile>, StoreError> {
        find_by_email(self.reading(), email).await
    }

    /// The user whom an OpenID provider knows by that subject.
    pub async fn user_by_open_id(
        &mut self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<UserFile>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from portal_user u where u.oidc_issuer = $1 and u.oidc_subject = $2"
        );
        let row: Option<UserRow> =
            query_of(sql).bind(issuer).bind(subject).fetch_optional(self.connection()).await?;
        row.map(UserFile::try_from).transpose()
    }

    /// The active organization to which an address at that domain belongs, whether or not it takes part.
    pub async fn organization_of_domain(
        &mut self,
        email: &EmailAddress,
    ) -> Result<Option<OrganizationNumber>, StoreError> {
        let number: Option<(String,)> =
            query("select organization_number from email_domain where domain = $1")
                .bind(email.domain().as_str())
                .fetch_optional(self.connection())
                .await?;
        let read =
            |(text,): (String,)| text.parse().map_err(|e| StoreError::corrupt("email_domain", &e));
        number.map(read).transpose()
    }

    /// Adds a user who has nothing yet to prove themselves with. [`StoreError::Conflict`] when the address is taken.
    pub async fn insert_user(&mut self, user: &User, now: Timestamp) -> Result<(), StoreError> {
        query(
            "insert into portal_user (id, email, name, organization_number, language, status, roles, \
             created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        )
        .bind(user.id.as_str())
        .bind(user.email.as_str())
        .bind(&user.name)
        .bind(user.organization.as_str())
        .bind(user.language.name())
        .bind(user.status.name())
        .bind(words(&user.roles))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of a user. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_user(
        &mut self,
        user: &User,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update portal_user set name = $2, language = $3, status = $4, roles = $5, updated_at = $6, \
             version = version + 1 where id = $1 and version = $7",
        )
        .bind(user.id.as_str())
        .bind(&user.name)
        .bind(user.language.name())
        .bind(user.status.name())
        .bind(words(&user.roles))
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("portal_user", done)
    }

    /// Writes what a user proves themselves with from now on.
    pub async fn update_proofs(
        &mut self,
        id: &UserId,
        proofs: &UserProofs,
    ) -> Result<(), StoreError> {
        let open_id = proofs.open_id.as_ref();
        let done = query(
            "update portal_user set password_hash = $2, totp_secret = $3, totp_active = $4, totp_step = $5, \
             recovery_codes = $6, oidc_issuer = $7, oidc_subject = $8 where id = $1",
        )
        .bind(id.as_str())
        .bind(&proofs.password_hash)
        .bind(&proofs.totp_secret)
        .bind(proofs.totp_active)
        .bind(proofs.totp_step)
        .bind(as_json(&proofs.recovery_codes))
        .bind(open_id.map(|(issuer, _)| issuer.as_str()))
        .bind(open_id.map(|(_, subject)| subject.as_str()))
        .execute(self.connection())
        .await?;
        Self::met_one_row("portal_user", done)
    }

    /// Notes that somebody who was not signed in has had a mail sent to the user.
    pub async fn user_mailed(&mut self, id: &UserId, now: Timestamp) -> Result<(), StoreError> {
        query("update portal_user set mailed_at = $2 where id = $1")
            .bind(id.as_str())
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// How many active users of an organization have this role.
    pub async fn count_users_with_role(
        &mut self,
        organization: OrganizationNumber,
        role: Role,
    ) -> Result<i64, StoreError> {
        let count = query(
            "select count(*) from portal_user u where u.organization_number = $1 and u.status = 'active' \
             and ' ' || u.roles || ' ' like $2",
        );
        let count = count.bind(organization.as_str()).bind(format!("% {} %", role.name()));
        let (count,) = count.fetch_one(self.connection()).await?;
        Ok(count)
    }

    /// Deletes the oldest users of an organization who have signed up and have not followed their link, so that at most
    /// `left` of them stay; those who have been invited are not among them. Returns how many went.
    pub async fn forget_oldest_unconfirmed(
        &mut self,
        organization: OrganizationNumber,
        left: i64,
    ) -> Result<u64, StoreError> {
        let oldest: Vec<(String,)> = query(
            "select id from portal_user u where organization_number = $1 and status = 'unconfirmed' \
             and not exists (select 1 from user_link l where l.user_id = u.id and l.purpose = 'invite') \
             order by created_at desc, id limit 1000 offset $2",
        )
        .bind(organization.as_str())
        .bind(left)
        .fetch_all(self.connection())
        .await?;
        let mut forgotten = 0;
        for (id,) in oldest {
            let links = query("delete from user_link where user_id = $1");
            links.bind(&id).execute(self.connection()).await?;
            let user = query("delete from portal_user where id = $1");
            forgotten += user.bind(&id).execute(self.connection()).await?;
        }
        Ok(forgotten)
    }

    /// Deletes users who signed up before `oldest` and have never followed their link.
    pub async fn forget_unconfirmed(&mut self, oldest: Timestamp) -> Result<(), StoreError> {
        let forgotten =
            "select id from portal_user where status = 'unconfirmed' and created_at < $1";
        let links = format!("delete from user_link where user_id in ({forgotten})");
        for sql in [links, format!("delete from portal_user where id in ({forgotten})")] {
            query_of(sql).bind(oldest.seconds()).execute(self.connection()).await?;
        }
        Ok(())
    }
}

async fn find(reading: Reading<'_>, id: &UserId) -> Result<Option<UserFile>, StoreError> {
    let sql = format!("select {COLUMNS} from portal_user u where u.id = $1");
    reading.one::<UserRow, _>(query_of(sql).bind(id.as_str())).await
}

async fn find_by_email(
    reading: Reading<'_>,
    email: &EmailAddress,
) -> Result<Option<UserFile>, StoreError> {
    let sql = format!("select {COLUMNS} from portal_user u where u.email = $1");
    reading.one::<UserRow, _>(query_of(sql).bind(email.as_str())).await
}

fn words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" ")
}

impl TryFrom<UserRow> for UserFile {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        const TABLE: &str = "portal_user";
        let corrupt = |problem: &dyn ToString| StoreError::corrupt(TABLE, problem);
        let roles = row.roles.split_whitespace().map(|word| named(TABLE, Role::from_name, word));
        let value = User {
            id: row.id.parse().map_err(|e| corrupt(&e))?,
            email: row.email.parse().map_err(|e| corrupt(&e))?,
            name: row.name,
            organization: row.organization_number.parse().map_err(|e| corrupt(&e))?,
            language: named(TABLE, Language::from_name, &row.language)?,
            status: named(TABLE, UserStatus::from_name, &row.status)?,
            roles: roles.collect::<Result<_, _>>()?,
        };
        Ok(Self {
            user: Recorded {
                value,
                created_at: Timestamp::from_seconds(row.created_at),
                updated_at: Timestamp::from_seconds(row.updated_at),
                version: Version(row.version),
            },
            proofs: UserProofs {
                password_hash: row.password_hash,
                totp_secret: row.totp_secret,
                totp_active: row.totp_active,
                totp_step: row.totp_step,
                recovery_codes: from_json(TABLE, &row.recovery_codes)?,
                open_id: row.oidc_issuer.zip(row.oidc_subject),
            },
            mailed_at: Timestamp::from_seconds(row.mailed_at),
        })
    }
}
