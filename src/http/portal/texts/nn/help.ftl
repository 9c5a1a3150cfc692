# The first page.
overview-lead-new = Velkomen! Her byrjar de.
overview-lead-calm = Ingenting treng deg no. Alt går som det skal.
overview-lead-none = Du er logga inn, men kan ikkje sjå noko enno.
overview-none = Du treng ei rolle
overview-none-restricted = I { $environment } ser og endrar ein berre noko med ei rolle som nokon i verksemda har gjeve ein.
overview-none-why = Rolla di viser deg ikkje klientar og scopes.
overview-none-whom = Desse kan gje deg ei:
overview-none-nobody = Ingen i verksemda kan gje roller enno. Kontakt dei som driv tenesta, så peikar dei ut ein administrator.
overview-none-help = Les meir om roller
overview-attention = Dette treng deg
overview-alerts-all = Alle varsel
overview-critical = Kritisk:
overview-warning = Åtvaring:
overview-decide-on = Til avgjerd:
overview-decide = Behandle
overview-see-why = Sjå kvifor
overview-renew = Forny nøkkel
overview-key-ends = Nøkkelen { $kid } går ut { $day }.
overview-key-ended = Nøkkelen { $kid } gjekk ut { $day }, og gjev ingen token.
overview-key-used = Sist brukt { $moment }.
overview-asks = { $organization } ber om tilgang til { $scope }.
overview-refused = { $count ->
    [one] Eitt avslag det siste døgnet med { $code }.
   *[other] { $count } avslag det siste døgnet med { $code }.
 }
overview-more-requests = Fleire ventar på svar. Sjå
overview-figures = Siste 30 dagar
overview-usage = Sjå bruk per scope
overview-quick = Snarvegar
overview-quick-callable = Tilgangar de har, og kan be om
overview-quick-client = Ny klient
overview-quick-client-what = I tre steg, med nøkkel
overview-quick-scope = Nytt scope
overview-quick-scope-what = Det andre kan få tilgang til
overview-quick-users = Brukarar og roller
overview-quick-users-what = Kven som kan gjere kva
overview-quick-help = Korte svar på det mange spør om
overview-consume = Skal de bruke API til andre?
overview-consume-what = Då er de konsument. Eit system hos dykk, ein klient, hentar token og viser dei til API-et.
overview-consume-find = Finn scopet
overview-consume-find-what = som API-et krev. Nokre er opne for alle.
overview-consume-ask = Be eigaren om tilgang, om scopet ikkje er ope. Vi seier frå når svaret kjem.
overview-consume-make = Lag ein klient
overview-consume-make-what = med scopet og ein nøkkel. Nøkkelen kan lagast i nettlesaren; den private delen ser berre de.
overview-consume-try = Prøv han på sida til klienten, og ta med dømet til systemet dykkar.
overview-provide = Skal andre bruke API-et dykkar?
overview-provide-what = Då er de API-tilbydar. De avgjer kven som får token til API-et.
overview-provide-prefix = Be om eit prefiks
overview-provide-prefix-what = , første del av namnet på scopa dykkar.
overview-provide-prefix-done = : de har eitt.
overview-provide-scope = Lag eit scope
overview-provide-scope-what = for det API-et gjev tilgang til.
overview-provide-grant = Gje verksemder tilgang, ei eller mange om gongen.
overview-provide-check = La API-et sjekke signatur, utferdar, utløp og scope i kvart token.
# Help
help-lead = Korte svar på det vi oftast blir spurde om.
help-toc = På denne sida
help-group-begin = Kome i gang
help-group-call = Bruke API til andre
help-group-offer = Tilby eige API
help-group-roles = Roller og feil
help-q-new-client = Kvifor kan eg ikkje lage ein klient?
help-a-new-client = Fordi du ikkje har rolla konsument. I nokre miljø har alle ho; i andre må ein administrator i verksemda gje deg ho.

    Er det ingen administrator enno, peikar dei som driv tenesta, ut den første.
help-go-new-client = Sjå kven som kan gje deg rolla
help-q-wrong-organization = Eg representerer feil verksemd
help-a-wrong-organization = Domenet i e-postadressa di avgjer kva verksemd du høyrer til. Øvst på sida står den du representerer.

    Skal du jobbe for ei anna, må ein administrator der invitere deg med ei adresse som høyrer til ho. Er domenet knytt til feil verksemd, må dei som driv tenesta, rette det.
help-go-wrong-organization = Sjå kontoen din
help-q-environments = Kva er skilnaden på miljøa?
help-a-environments = Kvart miljø er for seg: eigne klientar, nøklar, scopes, tilgangar og brukarar. Det du gjer i eitt, merkast ikkje i eit anna. No er du i { $environment }.

    Eit token frå eitt miljø gjeld ikkje i eit anna. Utferdaren her er { $issuer }, og han må stå som aud i assertionen.
help-q-scope-missing = Scopet står ikkje i lista mi
help-a-scope-missing = Då har ikkje eigaren gjeve verksemda di tilgang, eller tilgangen er gjeven i eit anna miljø. Sjå øvst på sida kva miljø du er i.

    Finn du scopet når du søkjer, kan du be om tilgang der. Gjer du ikkje det, er det privat: då må du kontakte eigaren. Gjeld det ein kunde, må kunden ha delegert scopet til dykk.
help-go-scope-missing = Søk i scopes
help-q-key-expired = Nøkkelen min har gått ut
help-a-key-expired = Lag ein ny på sida til klienten og ta han i bruk i systemet. Med ein gong han er registrert, kan klienten hente token igjen.

    Ein nøkkel kan ikkje forlengjast; han lever høgst eit år. Lag den neste i god tid, så verkar begge ei stund. Under Verksemda kan de velje kven som får e-post før nøklar går ut.
help-go-key-expired = Til klientane
help-q-key-formats = Kva nøklar kan eg bruke?
help-a-key-formats = RSA med minst 2048 bitar, elliptiske kurver (P-256 og P-384) og Ed25519. Du kan lime inn ein JWK, ei JWK-liste, ein offentleg nøkkel i PEM eller eit sertifikat.

    Enklast er det å la sida lage nøkkelen. Den private delen blir laga i nettlesaren og aldri send til oss. Lim aldri inn ein privat nøkkel nokon stad; skjer det her, blir han stoppa før han blir send.
help-go-key-formats = Til klientane
help-q-certificate = Kva er eit verksemdssertifikat?
help-a-certificate = Eit sertifikat som ein godkjend utferdar har gjeve verksemda, med organisasjonsnummeret i. Ein klient utan registrert nøkkel kan signere med det, og då treng de ikkje registrere noko her.

    Har klienten ein registrert nøkkel, må han bruke nøkkelen. Sertifikatet må vere skrive ut til same verksemda som eig klienten.
help-q-prefix = Kva er eit prefiks?
help-a-prefix = Første del av namnet på eit scope, framfor kolonet. Prefikset viser kven som eig scopet, og berre eigaren kan lage scopes under det.

    Vel noko kort som blir kjent igjen. Det kan ikkje endrast sidan.
help-go-prefix = Be om eit prefiks
help-q-prefix-empty = Lista over prefiks er tom
help-a-prefix-empty = Då har verksemda ikkje fått noko prefiks i dette miljøet, og kan ikkje lage scopes enno. Be om eitt; dei som driv tenesta, svarar.

    Har de eitt i eit anna miljø, gjeld det berre der.
help-go-prefix-empty = Be om eit prefiks
help-q-grant = Korleis gjev eg tilgang?
help-a-grant = Opne scopet og skriv inn organisasjonsnummeret, eitt eller mange på ein gong. Tilgangen gjeld innan eitt sekund.

    Du kan setje ein sluttdato, og trekkje tilgangen tilbake når som helst. Andre kan også be om tilgang til scopes som står i den offentlege lista; då avgjer de.
help-go-grant = Til scopes
help-q-who-has-access = Kven har tilgang til dette scopet?
help-a-who-has-access = På sida til scopet står alle med tilgang, når dei fekk han, og når dei sist brukte han. Berre eigaren ser det.

    Er scopet ope for alle, kan kva verksemd som helst bruke det utan å stå i lista.
help-go-who-has-access = Til scopes
help-q-access = Kven kan gjere kva?
help-a-access = Konsumentar lagar klientar og nøklar. Tilbydarar lagar scopes og gjev tilgang. Lesarar ser alt, og endrar ingenting. Administratorar gjev dei andre roller.

    Ein administrator gjev roller i si eiga verksemd. Administratorar blir peika ut av dei som driv tenesta.
help-go-access = Sjå kven som kan gje deg ei rolle
help-q-errors = Kva tyder feilkoden?
help-a-errors = Kvar kode har ei side med kva som er gale, kva det pleier å kome av, og kva de kan gjere.

    Loggar du inn, ser du også kvifor ein bestemt førespurnad fekk nei: søk på sporings-ID-en som står sist i svaret. Send aldri assertion, token eller privat nøkkel til nokon.
# Mails of a test server.
outbox-title = Utboks
outbox-lead = Dette er ein testserver. E-post blir ikkje send, men lagd her.
outbox-empty = Ingen e-post enno
outbox-empty-why = Når nokon registrerer seg eller blir invitert, blir e-posten lagd her.
outbox-caption = Dei nyaste først
outbox-subject = Emne
outbox-to = Til
outbox-time = Tidspunkt
