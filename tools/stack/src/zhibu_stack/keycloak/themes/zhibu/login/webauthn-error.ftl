<#import "template.ftl" as layout>
<@layout.registrationLayout displayMessage=true; section>
    <#if section = "header">
        ${msg("webauthn-error-title")}
    <#elseif section = "form">
        <p>${msg("zhibuPasskeyErrorText")}</p>
        <form id="kc-error-credential-form" action="${url.loginAction}" method="post">
            <input type="hidden" name="authenticationExecution" value="${execution}">
            <input type="hidden" name="isSetRetry" value="retry">
            <button class="button" type="submit" id="kc-try-again">${msg("doTryAgain")}</button>
        </form>
        <#if isAppInitiatedAction??>
            <form action="${url.loginAction}" method="post">
                <button class="button button-secondary" type="submit" id="cancelWebAuthnAIA" name="cancel-aia" value="true">${msg("doCancel")}</button>
            </form>
        </#if>
    </#if>
</@layout.registrationLayout>
