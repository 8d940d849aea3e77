<#import "template.ftl" as layout>
<@layout.registrationLayout displayMessage=!messagesPerField.existsError('password','password-confirm'); section>
    <#if section = "header">
        ${msg("updatePasswordTitle")}
    <#elseif section = "form">
        <form id="kc-passwd-update-form" action="${url.loginAction}" method="post" data-once>
            <#-- Password managers keep the new password under this name. -->
            <input type="hidden" autocomplete="username" value="${(auth.attemptedUsername)!}">
            <@layout.password name="password-new" label=msg("passwordNew") autocomplete="new-password" autofocus=true describedBy="password-rule"
                error=messagesPerField.existsError('password')?then(kcSanitize(messagesPerField.get('password')), "")>
                <p class="hint" id="password-rule">${msg("zhibuPasswordRule")}</p>
            </@layout.password>
            <@layout.password name="password-confirm" label=msg("passwordConfirm") autocomplete="new-password"
                error=messagesPerField.existsError('password-confirm')?then(kcSanitize(messagesPerField.get('password-confirm')), "")/>
            <#if isAppInitiatedAction??>
                <p><label><input type="checkbox" name="logout-sessions" value="on"> ${msg("logoutOtherSessions")}</label></p>
            </#if>
            <button class="button" name="login" type="submit">${msg("zhibuSavePassword")}</button>
            <#if isAppInitiatedAction??>
                <button class="button button-secondary" type="submit" name="cancel-aia" value="true" formnovalidate>${msg("doCancel")}</button>
            </#if>
        </form>
    </#if>
</@layout.registrationLayout>
