<#-- Log-in with a passkey, beside name and password; everything that the script needs is in data attributes. -->
<#macro conditionalUIData>
    <#if enableWebAuthnConditionalUI?has_content>
        <form id="webauth" action="${url.loginAction}" method="post" hidden data-passkey-login
              data-challenge="${challenge}" data-user-verification="${userVerification}" data-rp-id="${rpId}"
              data-timeout-s="${createTimeout}" data-user-identified="${isUserIdentified}">
            <#list ["clientDataJSON", "authenticatorData", "signature", "credentialId", "userHandle", "error"] as field>
                <input type="hidden" name="${field}">
            </#list>
            <#if authenticators??>
                <#list authenticators.authenticators as authenticator>
                    <input type="hidden" value="${authenticator.credentialId}" data-credential>
                </#list>
            </#if>
        </form>
        <div class="or" id="passkey-offer" hidden>
            <p class="hint">${msg("zhibuPasskeyHint")}</p>
            <button class="button button-secondary" type="button" id="authenticateWebAuthnButton">${msg("webauthn-doAuthenticate")}</button>
        </div>
        <script type="module" src="${url.resourcesPath}/js/passkey.js"></script>
    </#if>
</#macro>
