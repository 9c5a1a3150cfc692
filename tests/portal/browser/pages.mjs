// Pages with the markup that the portal's scripts enhance, one export for each: the contract that the server's templates keep.

const page = (scripts, content) => `<!doctype html>
<html lang="en"><head><title>A page</title>
${['page', ...scripts].map((name) => `<script type="module" src="/assets/${name}.js"></script>`).join('\n')}
</head><body><h1>A page</h1><p data-status role="status"></p>
${content}
</body></html>`

export const registered = () => page([], '<p id="done">Registered</p>')

export const maker = (issuer) => page(['key-maker'], `
<form method="post" action="/keys" data-key-maker hidden data-client-id="a-client" data-issuer="${issuer}/"
      data-token-endpoint="${issuer}/token" data-scopes="a:b c:d">
  <p data-message="unavailable" role="alert" hidden>This browser cannot make keys.</p>
  <p data-message="failed" role="alert" hidden>The key could not be made.</p>
  <label>Algorithm <select data-algorithm>
    <option value="ES256">ES256</option><option value="EdDSA">EdDSA</option>
    <option value="RS256-2048">RS256, 2048 bits</option><option value="RS256-3072">RS256, 3072 bits</option>
  </select></label>
  <button type="button" data-make>Make a key</button>
  <div data-made hidden>
    <p>Key id: <output data-kid></output></p>
    <button type="button" data-download="pem">PEM</button>
    <button type="button" data-download="jwk">JWK</button>
    <button type="button" data-download="env">.env</button>
    <button type="button" data-download="nais">Kubernetes</button>
    <button type="button" data-download="altinn">Altinn</button>
    <label><input type="checkbox" data-stored autocomplete="off"> I have stored the private key</label>
    <label><input type="checkbox" data-keep autocomplete="off"> Keep it in this browser to try it</label>
    <input type="hidden" name="key" data-public-key>
    <button type="submit" data-register disabled>Register</button>
  </div>
</form>`)

export const paste = () => page(['key-paste'], `
<form method="post" action="/keys" data-key-paste>
  <p data-message="missing" role="alert" id="missing" hidden>Paste a key.</p>
  <p data-message="private" role="alert" id="private" hidden>This is a private key. Keep it to yourself.</p>
  <p data-message="several" role="alert" id="several" hidden>These are several keys. Paste one.</p>
  <p data-message="unreadable" role="alert" id="unreadable" hidden>This is no public key.</p>
  <label for="key">Public key</label>
  <textarea id="key" name="key" data-key-text autocomplete="off" spellcheck="false"
            aria-describedby="missing private several unreadable"></textarea>
  <label data-script-only hidden>From a file <input type="file" data-key-file></label>
  <button name="action" value="add">Add</button>
</form>`)

export const attempt = (issuer) => page(['try-it'], `
<section data-try-it hidden data-client-id="a-client" data-audience="${issuer}/" data-token-endpoint="${issuer}/token"
         data-explain-url="/portal/explain/{trace_id}">
  <form data-try-form>
    <p data-message="no-key" role="alert" hidden>Choose or paste a key.</p>
    <label>Key <select data-kept-keys><option value="">Paste one</option></select></label>
    <button type="button" data-forget hidden>Forget it</button>
    <div data-own-key>
      <label>Private key <textarea data-private-key autocomplete="off" spellcheck="false"></textarea></label>
      <label>From a file <input type="file" data-private-file></label>
      <label>Key id <input data-kid></label>
    </div>
    <label><input type="checkbox" data-scope value="a:b" checked> a:b</label>
    <label><input type="checkbox" data-scope value="c:d"> c:d</label>
    <label>Resource <input data-resource></label>
    <label>Consumer <input data-consumer-org></label>
    <button>Get a token</button>
  </form>
  <div data-when="asked" hidden>
    <pre data-show="assertion-header"></pre><pre data-show="assertion-claims"></pre><pre data-show="request"></pre>
  </div>
  <p data-when="unreachable" role="alert" hidden>The token endpoint did not answer.</p>
  <div data-when="token" hidden>
    <p><span data-show="status"></span>, <span data-show="expires-in"></span> seconds</p>
    <pre data-show="answer"></pre><pre data-show="token-header"></pre><pre data-show="token-claims"></pre>
  </div>
  <div data-when="refused" role="alert" hidden>
    <p><span data-show="status"></span> <b data-show="error"></b> <span data-show="error-description"></span></p>
    <a data-explain hidden>Why?</a>
  </div>
</section>`)

export const comforts = () => page([], `
<div data-error-summary><h2>Two things are wrong</h2></div>
<code id="client-id">a-client</code>
<button type="button" data-copy="client-id" data-copied="Copied" hidden>Copy</button>
<a href="/portal/keys/k1/remove" data-dialog="remove" data-fill-kid="k1" data-fill-version="7">Remove k1</a>
<dialog id="remove"><p>Remove <b data-fill="kid"></b>?</p>
  <form method="post" data-dialog-form><input type="hidden" name="version" data-fill="version"><button>Remove</button></form>
  <form method="dialog"><button>Cancel</button></form>
</dialog>
<label for="text">Text</label><textarea id="text" maxlength="20">æøå</textarea>
<p id="left" data-counter="text" data-text="{left} characters left"></p>
<div data-script-only hidden><label>From a file <input type="file" data-text-file="lines"></label></div>
<label for="lines">Lines</label><textarea id="lines"></textarea>
<div class="tabs"><a href="#a">A</a> <a href="#b" aria-current="page">B</a></div>
<label for="number">Organization</label>
<input id="number" data-organization-lookup="name" data-lookup-url="/portal/lookup/organization/">
<output id="name" data-invalid="This is no organization number" data-unknown="Nobody we know"></output>`)

export const broken = () => page([], '<script>document.title = "run"</script>')
