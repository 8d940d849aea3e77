<#import "template.ftl" as layout>
<#import "passkeys.ftl" as passkeys>
<#assign wrong = messagesPerField.existsError('username','password')>
<@layout.registrationLayout displayMessage=!wrong; section>
    <#if section = "header">
        ${msg("loginAccountTitle")}
    <#elseif section = "form">
        <#if wrong>
            <div class="notice notice-error" role="alert">
                <p id="input-error">${kcSanitize(messagesPerField.getFirstError('username','password'))?no_esc}</p>
            </div>
        </#if>
        <#-- Shown by page.js at the address for key sticks, in place of the form, which would lead to another host there.
             Without a message nobody showed a certificate; otherwise the message says what is wrong with it. -->
        <#if (client.baseUrl)?has_content>
            <div id="no-stick" hidden>
                <#if !wrong && !message?has_content>
                    <div class="notice notice-warning" role="status">
                        <p><strong>${msg("zhibuNoStickTitle")}</strong></p>
                        <p>${msg("zhibuNoStickText")}</p>
                    </div>
                </#if>
                <p><a class="button" href="${client.baseUrl}/auth/login">${msg("zhibuNoStickPassword")}</a></p>
            </div>
        </#if>
        <div id="usual-ways">
        <form id="kc-form-login" action="${url.loginAction}" method="post" data-once>
            <#if !usernameHidden??>
                <div class="group<#if wrong> group-error</#if>">
                    <label class="label" for="username">${msg("username")}</label>
                    <p class="hint" id="username-hint">${msg("zhibuUsernameHint")}</p>
                    <input class="input" type="text" id="username" name="username" value="${(login.username!'')}" dir="ltr" required
                           autofocus autocapitalize="none" spellcheck="false"
                           autocomplete="${(enableWebAuthnConditionalUI?has_content)?then('username webauthn', 'username')}"
                           aria-describedby="username-hint<#if wrong> input-error</#if>" <#if wrong>aria-invalid="true"</#if>>
                </div>
            </#if>
            <@layout.password name="password" label=msg("password") autocomplete="current-password" describedBy=wrong?then("input-error", "password-hint")>
                <p class="hint" id="password-hint">${msg("zhibuPasswordHint")}</p>
            </@layout.password>
            <input type="hidden" name="credentialId" <#if auth.selectedCredential?has_content>value="${auth.selectedCredential}"</#if>>
            <button class="button" name="login" id="kc-login" type="submit">${msg("doLogIn")}</button>
        </form>
        <@passkeys.conditionalUIData />
        </div>
        <details>
            <summary>${msg("zhibuCannotLogIn")}</summary>
            <p>${msg("zhibuCannotLogInText")}</p>
        </details>
    </#if>
</@layout.registrationLayout>
