<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
    <#if section = "header">
        ${msg("webauthn-registration-title")}
    <#elseif section = "form">
        <p>${msg("zhibuPasskeyText")}</p>
        <form id="register" action="${url.loginAction}" method="post" data-passkey-register
              data-challenge="${challenge}" data-user-id="${userid}" data-username="${username}" data-rp-name="${rpEntityName}" data-rp-id="${rpId}"
              data-algorithms="<#list signatureAlgorithms as algorithm>${algorithm?c}<#sep>,</#list>"
              data-attestation="${attestationConveyancePreference}" data-attachment="${authenticatorAttachment}"
              data-resident-key="${residentKey}" data-user-verification="${userVerificationRequirement}" data-timeout-s="${createTimeout}"
              data-exclude="${excludeCredentialIds}" data-label="${msg("webauthn-registration-init-label")}"
              data-unsupported="${msg("webauthn-unsupported-browser-text")}">
            <#list ["clientDataJSON", "attestationObject", "publicKeyCredentialId", "authenticatorLabel", "transports", "authenticatorAttachment", "error"] as field>
                <input type="hidden" name="${field}">
            </#list>
            <button class="button" type="submit" id="registerWebAuthn">${msg("doRegisterSecurityKey")}</button>
        </form>
        <#if !isSetRetry?has_content && isAppInitiatedAction?has_content>
            <form action="${url.loginAction}" method="post">
                <button class="button button-secondary" type="submit" id="cancelWebAuthnAIA" name="cancel-aia" value="true">${msg("doCancel")}</button>
            </form>
        </#if>
        <script type="module" src="${url.resourcesPath}/js/passkey.js"></script>
    </#if>
</@layout.registrationLayout>
