<#import "template.ftl" as layout>
<#assign wrong = messagesPerField.existsError('totp')>
<@layout.registrationLayout displayMessage=!wrong; section>
    <#if section = "header">
        ${msg("zhibuCodeTitle")}
    <#elseif section = "form">
        <#if wrong>
            <div class="notice notice-error" role="alert">
                <p id="otp-error">${kcSanitize(messagesPerField.get('totp'))?no_esc}</p>
            </div>
        </#if>
        <p>${msg("zhibuCodeText")}</p>
        <#if properties.gatewayUrl?has_content>
            <div class="group" id="send-code" data-url="${properties.gatewayUrl}/v1/login-codes" data-eid-number="${(auth.attemptedUsername)!''}"
                 data-wait-s="60"
                 data-sending="${msg("zhibuCodeSending")}" data-sent="${msg("zhibuCodeSent")}" data-again="${msg("zhibuCodeAgain")}"
                 data-countdown="${msg("zhibuCodeCountdown")}" data-too-often="${msg("zhibuCodeTooOften")}" data-failed="${msg("zhibuCodeFailed")}">
                <button class="button button-secondary" type="button" hidden>${msg("zhibuCodeSend")}</button>
                <p class="status" role="status" aria-live="polite"></p>
                <noscript><p class="notice">${msg("zhibuCodeNoScript")}</p></noscript>
            </div>
            <script type="module" src="${url.resourcesPath}/js/send-code.js"></script>
        </#if>
        <form id="kc-otp-login-form" action="${url.loginAction}" method="post" data-once>
            <#if otpLogin.userOtpCredentials?size gt 1>
                <fieldset class="group">
                    <legend class="label">${msg("zhibuCodeWhich")}</legend>
                    <#list otpLogin.userOtpCredentials as otpCredential>
                        <p><label><input type="radio" name="selectedCredentialId" value="${otpCredential.id}"
                            <#if otpCredential.id == otpLogin.selectedCredentialId>checked</#if>> ${otpCredential.userLabel!("SMS " + (otpCredential?index + 1))}</label></p>
                    </#list>
                </fieldset>
            </#if>
            <div class="group<#if wrong> group-error</#if>">
                <label class="label" for="otp">${msg("loginOtpOneTime")}</label>
                <p class="hint" id="otp-hint">${msg("zhibuCodeHint")}</p>
                <input class="input input-code" type="text" id="otp" name="otp" inputmode="numeric" autocomplete="one-time-code"
                       maxlength="6" required dir="ltr" aria-describedby="otp-hint<#if wrong> otp-error</#if>"
                       <#if wrong>aria-invalid="true" autofocus</#if>>
            </div>
            <button class="button" name="login" id="kc-login" type="submit">${msg("doLogIn")}</button>
        </form>
        <details>
            <summary>${msg("zhibuNoTelephone")}</summary>
            <p>${msg("zhibuNoTelephoneText")}</p>
            <#if properties.helpTelephone?has_content>
                <p>${msg("zhibuHelp")} <a href="tel:${properties.helpTelephone?replace("-", "")}">${properties.helpTelephone}</a></p>
            </#if>
        </details>
    </#if>
</@layout.registrationLayout>
