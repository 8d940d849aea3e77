<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
    <#if section = "header">
        ${msg("loginChooseAuthenticator")}
    <#elseif section = "form">
        <form id="kc-select-credential-form" action="${url.loginAction}" method="post">
            <#list auth.authenticationSelections as selection>
                <button class="choice" type="submit" name="authenticationExecution" value="${selection.authExecId}">
                    <span class="choice-title">${msg(selection.displayName)}</span>
                    <span class="hint">${msg(selection.helpText)}</span>
                </button>
            </#list>
        </form>
    </#if>
</@layout.registrationLayout>
